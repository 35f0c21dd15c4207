import { aiAnthropic, aiChat, aiCompatible, aiGoogle, aiResponses } from './ai-sdk.ts'
import { anthropicMessages } from './anthropic.ts'
import type { ChatClient } from './chat-client.ts'
import { googleGenai } from './google.ts'
import { langchain } from './langchain.ts'
import { ollamaChat } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'

export const CHAT_CLIENTS: readonly ChatClient[] = [
  openaiChat,
  openaiResponses,
  anthropicMessages,
  googleGenai,
  ollamaChat,
  aiResponses,
  aiChat,
  aiAnthropic,
  aiGoogle,
  aiCompatible,
  langchain,
]
