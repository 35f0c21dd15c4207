/** Requests one after the other, without a pause worth speaking of, until they are stopped. */
export interface Traffic {
  /** What went wrong so far. */
  readonly failures: readonly string[]
  readonly requests: number
  stop(): Promise<void>
}

export function startTraffic(url: string): Traffic {
  const failures: string[] = []
  let [requests, running] = [0, true]
  const ended = (async () => {
    while (running) {
      requests += 1
      const failure = await failureOf(url)
      if (failure !== undefined) failures.push(failure)
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
  })()
  return {
    failures,
    get requests() {
      return requests
    },
    stop: async () => {
      running = false
      await ended
    },
  }
}

export async function failureOf(url: string): Promise<string | undefined> {
  try {
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
    })
    const text = await reply.text()
    return reply.status === 200 ? undefined : `${reply.status} ${text.slice(0, 200)}`
  } catch (error) {
    return String(error)
  }
}
