import t from 'tap'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { resetRequests } from '../../../src/controller/sources/reset-request.ts'

function account(value: string | undefined, uid = 'one'): KubeObject {
  const annotations = value === undefined ? {} : { 'korproxy.dev/reset-health': value }
  return {
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'ProviderAccount',
    metadata: { name: 'openai', namespace: 'team', uid, resourceVersion: value ?? '0', annotations },
  }
}

t.test('R2.8 each new value of the annotation is one reset of the health of the account', (t) => {
  const asked = [{ kind: 'ProviderAccount', namespace: 'team', name: 'openai' }]
  t.strictSame(resetRequests([{ before: account(undefined), after: account('12:00') }]), asked)
  t.strictSame(resetRequests([{ before: account('12:00'), after: account('12:05') }]), asked)
  t.strictSame(resetRequests([{ before: account('12:00'), after: account('12:00') }]), [])
  t.strictSame(resetRequests([{ before: account('12:00'), after: account(undefined) }]), [])
  t.strictSame(resetRequests([{ before: account('12:00') }]), [], 'deleted')
  t.strictSame(resetRequests([{ after: account('12:00') }]), [], 'what a controller finds when it begins')
  t.strictSame(resetRequests([{ before: account('12:00', 'one'), after: account('12:05', 'two') }]), [], 'made anew')
  t.end()
})
