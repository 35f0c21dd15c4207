/** Reads until the value is as wanted; gives the last value after `limitMs`, for the assertion to show. */
export async function eventually<T>(
  read: () => T | Promise<T>,
  wanted: (value: T) => boolean,
  limitMs = 30_000,
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const value = await read()
    if (wanted(value) || performance.now() > end) return value
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
