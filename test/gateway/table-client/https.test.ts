import t from 'tap'
import { tableClientContract } from '../../contracts/table-client.ts'
import { startHttpsController } from '../../helpers/https-controller.ts'

tableClientContract(t, startHttpsController)
