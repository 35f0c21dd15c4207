import t from 'tap'
import { tableClientContract } from '../../contracts/table-client.ts'
import { InProcessController, startController } from '../../helpers/controller-rig.ts'

tableClientContract(t, async (test) => {
  const inProcess = new InProcessController(undefined)
  let controller = startController(test)
  inProcess.use(controller)
  return {
    get controller() {
      return controller
    },
    transport: async (gateway) => inProcess.transport(gateway),
    stop: async () => {
      inProcess.use(undefined)
      controller.close()
    },
    restart: async () => {
      controller = startController(test)
      inProcess.use(controller)
      return controller
    },
  }
})
