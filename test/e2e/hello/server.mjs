// Says hello, or fetches what `?url=` names and says what it got.
import { createServer } from 'node:http'

createServer(async (request, reply) => {
  const url = new URL(request.url ?? '/', 'http://hello').searchParams.get('url')
  try {
    reply.end(url === null ? 'hello' : await (await fetch(url)).text())
  } catch (error) {
    reply.writeHead(502).end(String(error))
  }
}).listen(8080)
