/** OpenAI allows 64 letters, digits, dashes and underscores; other formats have no name or a freer one. */
export function schemaName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'answer'
}
