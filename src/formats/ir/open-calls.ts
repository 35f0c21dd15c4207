/** Tool calls that wait for their results, found by several keys (an id, a name …), the oldest first; linear over a conversation. */
export class OpenCalls<T extends object> {
  readonly #queues = new Map<string, { readonly calls: T[]; next: number }>()
  readonly #closed = new Set<T>()

  add(call: T, keys: readonly string[]): void {
    for (const key of keys) {
      const queue = this.#queues.get(key)
      if (queue === undefined) this.#queues.set(key, { calls: [call], next: 0 })
      else queue.calls.push(call)
    }
  }

  /** Closes the oldest open call of the first key that has one. */
  take(keys: readonly string[]): T | undefined {
    for (const key of keys) {
      const call = this.#takeFrom(key)
      if (call !== undefined) return call
    }
    return undefined
  }

  clear(): void {
    this.#queues.clear()
    this.#closed.clear()
  }

  #takeFrom(key: string): T | undefined {
    const queue = this.#queues.get(key)
    if (queue === undefined) return undefined
    for (; queue.next < queue.calls.length; queue.next += 1) {
      const call = queue.calls[queue.next]
      if (call !== undefined && !this.#closed.has(call)) {
        this.#closed.add(call)
        return call
      }
    }
    return undefined
  }
}
