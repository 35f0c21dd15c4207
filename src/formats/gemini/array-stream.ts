import type { StreamEncoder } from '../format.ts'

/**
 * Turns Gemini's event stream into the JSON array that Google sends without `alt=sse`. Between the elements blanks and line ends
 * are free, so a bare line end keeps an idle array alive.
 * @see https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function arrayStreamEncoder(encoder: StreamEncoder): StreamEncoder {
  let begun = false
  const write = (events: string): string =>
    events
      .split('\r\n\r\n')
      .filter((event) => event !== '')
      .map((event) => {
        const separator = begun ? ',\r\n' : '['
        begun = true
        return separator + event.slice('data: '.length)
      })
      .join('')
  const close = (events: string): string => {
    const last = write(events)
    return `${begun ? last : '['}]`
  }
  return {
    push: (event) => write(encoder.push(event)),
    end: () => close(encoder.end()),
    fail: (error) => close(encoder.fail(error)),
  }
}
