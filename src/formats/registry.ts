import { anthropic } from './anthropic/anthropic.ts'
import { anthropicShapes } from './anthropic-shapes/anthropic-shapes.ts'
import type {
  ChatFormat,
  ChatFormatName,
  EmbeddingFormat,
  EmbeddingFormatName,
  FamilyShapes,
  FormatFamily,
} from './format.ts'
import { gemini } from './gemini/gemini.ts'
import { geminiBatchEmbed, geminiEmbed } from './gemini-embeddings/gemini-embeddings.ts'
import { geminiShapes } from './gemini-shapes/gemini-shapes.ts'
import { ollamaChat } from './ollama-chat/ollama-chat.ts'
import { ollamaEmbed, ollamaEmbeddings } from './ollama-embeddings/ollama-embeddings.ts'
import { ollamaGenerate } from './ollama-generate/ollama-generate.ts'
import { ollamaShapes } from './ollama-shapes/ollama-shapes.ts'
import { openaiChat } from './openai-chat/openai-chat.ts'
import { openaiCompletions } from './openai-completions/openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings/openai-embeddings.ts'
import { openaiResponses } from './openai-responses/openai-responses.ts'
import { openaiShapes } from './openai-shapes/openai-shapes.ts'

/** Every wire format; a name without its format does not compile. */
export const CHAT_FORMATS: Readonly<Record<ChatFormatName, ChatFormat>> = {
  'openai-chat': openaiChat,
  'openai-responses': openaiResponses,
  'openai-completions': openaiCompletions,
  anthropic,
  gemini,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
}

export const EMBEDDING_FORMATS: Readonly<Record<EmbeddingFormatName, EmbeddingFormat>> = {
  'openai-embeddings': openaiEmbeddings,
  'gemini-embed': geminiEmbed,
  'gemini-batch-embed': geminiBatchEmbed,
  'ollama-embed': ollamaEmbed,
  'ollama-embeddings': ollamaEmbeddings,
}

export const FAMILY_SHAPES: Readonly<Record<FormatFamily, FamilyShapes>> = {
  openai: openaiShapes,
  anthropic: anthropicShapes,
  gemini: geminiShapes,
  ollama: ollamaShapes,
}
