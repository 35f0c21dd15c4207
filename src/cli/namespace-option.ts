import { Option } from 'commander'

export function namespaceOption(): Option {
  return new Option(
    '-n, --namespace <name>',
    'namespace of objects that name none, and of requests without a key',
  ).default('default')
}
