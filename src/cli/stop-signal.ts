/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve()
      })
    }
  })
}

/**
 * Resolves at the first error that nobody caught. Such a defect may cost the request that met it, not the streams beside it: they
 * finish first, then the process ends with exit code 1 and is started anew.
 */
export function uncaughtFault(report: (fault: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    const take = (fault: unknown): void => {
      report(fault)
      process.exitCode = 1
      resolve()
    }
    process.on('uncaughtException', take)
    process.on('unhandledRejection', take)
  })
}
