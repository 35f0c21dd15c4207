import t from 'tap'
import { kebabName, ObjectNames } from '../../../src/cli/import/object-names.ts'

t.test('R4.9 names for people become names of objects', (t) => {
  t.equal(kebabName('Work Profile', 'x'), 'work-profile')
  t.equal(kebabName('  Mein Ärger: Straße #1! ', 'x'), 'mein-arger-strasse-1')
  t.equal(kebabName('acct_7f3a', 'x'), 'acct-7f3a')
  t.equal(kebabName('日本', 'profile'), 'profile')
  t.equal(kebabName(`${'a'.repeat(62)} b`, 'x'), 'a'.repeat(62))
  t.end()
})

t.test('R4.9 equal names are counted, within the length that Kubernetes allows', (t) => {
  const names = new ObjectNames()
  t.strictSame(
    [names.take('Work', 'x'), names.take('work', 'x'), names.take('WORK!', 'x')],
    ['work', 'work-2', 'work-3'],
  )
  t.equal(names.take('a'.repeat(80), 'x'), 'a'.repeat(63))
  t.equal(names.take('a'.repeat(80), 'x'), `${'a'.repeat(61)}-2`)
  t.end()
})
