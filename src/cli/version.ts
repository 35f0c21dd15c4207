/** Replaced by the release. */
export const VERSION = '0.1.0'
/** Where the generated pages are. */
export const DOCS_URL = 'https://korproxy.dev/docs'
