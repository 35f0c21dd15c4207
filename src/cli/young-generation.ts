import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8's young generation as small as it is at first, until `letYoungGenerationGrow`. Nearly all that a start allocates stays, so
 * that a larger one would only take memory, up to 32 MB, and time for copying. Under load it pays.
 * @see https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}
