// bootstrap.mjs RESOURCES TOKEN NAMESPACE RELEASE: applies the resources of the values where Helm cannot: to a cluster whose
// CRDs have just been created, and once more with the first upgrade, which also removes what the values no longer have.
import { readFileSync } from 'node:fs'

const PLURALS = {
  ModelCatalog: 'modelcatalogs',
  UsagePolicy: 'usagepolicies',
  ProviderAccount: 'provideraccounts',
  ProviderGroup: 'providergroups',
  RoutingProfile: 'routingprofiles',
  GatewayClient: 'gatewayclients',
  GatewayConfig: 'gatewayconfigs',
}
const LIMIT_MS = 120_000
const PAUSE_MS = 500

const [resourcesPath, tokenPath, namespace, release] = process.argv.slice(2)
const objects = JSON.parse(readFileSync(resourcesPath, 'utf8'))
const token = readFileSync(tokenPath, 'utf8').trim()
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
const root = `https://${host.includes(':') ? `[${host}]` : host}:${port}/apis/korproxy.dev/v1alpha1/namespaces/${namespace}`
const end = Date.now() + LIMIT_MS

async function ask(method, path, body) {
  try {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/apply-patch+yaml' }
    const answer = await fetch(`${root}/${path}`, { method, headers, body })
    return { status: answer.status, text: await answer.text() }
  } catch (error) {
    return { status: 503, text: String(error.cause ?? error) }
  }
}

/** A kind that is new is not found at first, and refused for a moment after. */
async function must(method, path, body) {
  for (;;) {
    const { status, text } = await ask(method, path, body)
    if (status < 300) return text
    const mayPass = status === 404 || status === 409 || status === 429 || status >= 500
    if (!mayPass || Date.now() > end) throw new Error(`${method} ${path}: ${status} ${text}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

const wanted = new Set()
for (const object of objects) {
  const path = `${PLURALS[object.kind]}/${object.metadata.name}`
  await must('PATCH', `${path}?fieldManager=helm&force=true&fieldValidation=Strict`, JSON.stringify(object))
  wanted.add(path)
  console.log(`${path} applied`)
}
for (const plural of Object.values(PLURALS)) {
  const { items } = JSON.parse(await must('GET', `${plural}?labelSelector=korproxy.dev/bootstrap=${release}`))
  for (const { metadata } of items) {
    const path = `${plural}/${metadata.name}`
    if (wanted.has(path)) continue
    await must('DELETE', path)
    console.log(`${path} removed`)
  }
}
