import { firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { textOf } from '../json-value.ts'
import { GEMINI_SIGNATURE } from './gemini-reply.ts'
import { protoList, protoMember } from './proto-json.ts'

/** Values that switch the check off, for histories of other models: https://ai.google.dev/gemini-api/docs/thought-signatures */
const DUMMY_SIGNATURES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go']

/** Calls and results come in turns of equal size, right after each other; Gemini 3 wants its signatures back. */
export function checkFunctionTurns(contents: readonly unknown[], model: string): Refusal | undefined {
  return firstRefusal(
    () => refusalOfEach(contents, (content, index) => checkTurn(content, contents[index - 1], contents[index + 1])),
    () => (/^gemini-[3-9]/.test(model) ? checkSignatures(contents) : undefined),
  )
}

function partsWith(content: unknown, name: string): readonly unknown[] {
  return protoList(content, 'parts').filter((part) => protoMember(part, name) !== undefined)
}

function checkTurn(content: unknown, previous: unknown, next: unknown): Refusal | undefined {
  const calls = partsWith(content, 'functionCall').length
  const results = partsWith(content, 'functionResponse').length
  if (calls > 0 && (previous === undefined || textOf(previous, 'role') === 'model')) {
    return {
      message:
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
    }
  }
  if (calls > 0 && partsWith(next, 'functionResponse').length !== calls) {
    return {
      message:
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
    }
  }
  if (results === 0) return undefined
  if (textOf(content, 'role') === 'model')
    return { message: 'Please ensure that function response turn has the role user.' }
  if (partsWith(previous, 'functionCall').length === 0) {
    return { message: 'Please ensure that function response turn comes immediately after a function call turn.' }
  }
  return checkNames(previous, content)
}

/** Each result names a function of the turn it answers. */
function checkNames(calls: unknown, results: unknown): Refusal | undefined {
  const called = partsWith(calls, 'functionCall').map((part) => textOf(protoMember(part, 'functionCall'), 'name'))
  return refusalOfEach(partsWith(results, 'functionResponse'), (part) => {
    const name = textOf(protoMember(part, 'functionResponse'), 'name')
    return called.includes(name)
      ? undefined
      : { message: `The function response "${name}" has no matching function call.` }
  })
}

/** In the current turn the first call of each step carries its signature; older turns are not looked at. */
function checkSignatures(contents: readonly unknown[]): Refusal | undefined {
  const start = contents.findLastIndex(
    (content) => textOf(content, 'role') !== 'model' && partsWith(content, 'functionResponse').length === 0,
  )
  return firstRefusal(
    () =>
      refusalOfEach(
        contents.flatMap((content) => protoList(content, 'parts')),
        checkSignatureBytes,
      ),
    () =>
      refusalOfEach(contents, (content, index) => {
        const first = partsWith(content, 'functionCall')[0]
        if (index <= start || first === undefined || protoMember(first, 'thoughtSignature') !== undefined)
          return undefined
        const name = textOf(protoMember(first, 'functionCall'), 'name')
        return {
          message: `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${name}\`, position ${index + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
        }
      }),
  )
}

function checkSignatureBytes(part: unknown): Refusal | undefined {
  const signature = protoMember(part, 'thoughtSignature')
  if (signature === undefined) return undefined
  const known =
    typeof signature === 'string' && (DUMMY_SIGNATURES.includes(signature) || signature.startsWith(GEMINI_SIGNATURE))
  return known ? undefined : { message: 'Thought signature is not valid' }
}
