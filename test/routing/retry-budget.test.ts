import t from 'tap'
import { RetryBudget } from '../../src/routing/retry-budget.ts'

const acquire = (budget: RetryBudget, active: number, times: number) =>
  Array.from({ length: times }, () => budget.tryAcquire(active)).filter(Boolean).length

t.test('R2.6 retries in flight are a share of the active requests', (t) => {
  t.equal(acquire(new RetryBudget(20, 3), 100, 50), 20)
  t.equal(acquire(new RetryBudget(20, 3), 0, 50), 3)
  t.equal(acquire(new RetryBudget(20, 3), 19, 50), 3)
  t.equal(acquire(new RetryBudget(0, 0), 1_000, 50), 0)
  t.end()
})

t.test('R2.6 a released retry makes room for another', (t) => {
  const budget = new RetryBudget(20, 1)
  t.equal(budget.tryAcquire(1), true)
  t.equal(budget.tryAcquire(1), false)
  budget.release()
  t.equal(budget.tryAcquire(1), true)
  t.end()
})
