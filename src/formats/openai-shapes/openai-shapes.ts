import type { FamilyShapes } from '../format.ts'
import { encodeError } from './encode-error.ts'
import { encodeModel, encodeModelList } from './encode-model.ts'

export const openaiShapes: FamilyShapes = { family: 'openai', encodeError, encodeModelList, encodeModel }
