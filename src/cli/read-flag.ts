import { InvalidArgumentError } from 'commander'

/** @throws InvalidArgumentError which ends the program with exit code 2 */
export function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.')
  return port
}

/** @throws InvalidArgumentError which ends the program with exit code 2 */
export function readCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('It must be a whole number.')
  return count
}

/** @throws InvalidArgumentError which ends the program with exit code 2 */
export function readAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:1337.')
  return text
}

/** `200`, or a class such as `4xx`. @throws InvalidArgumentError which ends the program with exit code 2 */
export function readStatus(text: string): string {
  if (!/^[1-5](\d\d|xx)$/i.test(text))
    throw new InvalidArgumentError('It must be a status such as 404, or a class such as 5xx.')
  return text
}

/** `name=value`, given several times. @throws InvalidArgumentError which ends the program with exit code 2 */
export function readPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** A day such as 2026-11-21 (UTC), or a full RFC 3339 time. @returns Unix time, ms. @throws InvalidArgumentError */
export function readTime(text: string): number {
  const timeMs = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('It must be a day or a time such as 2026-11-21 or 2026-11-21T09:30:00Z.')
  return timeMs
}
