import type { LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { embeddedIpv4 } from './embedded-ipv4.ts'
import type { NameLookup } from './name-memory.ts'

/** Which addresses this gateway may dial. Destinations themselves come from configuration only. */
export interface DialPolicy {
  /** Private and loopback addresses: standalone allows what its configuration names, a cluster only by explicit choice. */
  readonly privateAddresses: 'Allow' | 'Deny'
}

/** A refused destination; becomes KP-NET-307. */
class DialRefused extends Error {
  readonly code = 'KORPROXY_DIAL_REFUSED'
}

/** Never a provider: "this network", link-local, multicast, reserved, and where clouds keep metadata (AWS, Alibaba, Oracle, Azure, GCP). */
const NEVER = blockList([
  ['0.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  ['168.63.129.16', 32, 'ipv4'],
  ['100::', 64, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  ['fd00:ec2::254', 128, 'ipv6'],
  ['fd20:ce::254', 128, 'ipv6'],
])
/** Addresses without a public route: RFC 1918, 6598, 4193, loopback, documentation, benchmarks, and tunnels into IPv4. */
const PRIVATE = blockList([
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['2001::', 32, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2002::', 16, 'ipv6'],
])

function blockList(subnets: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList()
  for (const [address, prefix, family] of subnets) list.addSubnet(address, prefix, family)
  return list
}

/** @throws DialRefused when the policy does not allow this IP address. */
export function checkAddress(address: string, policy: DialPolicy): void {
  const bare = address.replace(/%.*$/, '')
  for (const each of [bare, ...embeddedIpv4(bare)]) checkPlainAddress(each, policy)
}

function checkPlainAddress(address: string, policy: DialPolicy): void {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (NEVER.check(address, family)) throw new DialRefused(`${address} is a link-local, metadata or reserved address`)
  if (policy.privateAddresses === 'Deny' && PRIVATE.check(address, family)) {
    throw new DialRefused(`${address} is a private address, which this gateway may not dial`)
  }
}

/** A name look-up that hands out only allowed addresses; checked on each connection, so a changed answer gains nothing. */
export function guardedLookup(policy: DialPolicy, lookup: NameLookup): LookupFunction {
  return (hostname, options, callback) => {
    allowedAddresses(hostname, policy, lookup).then(
      (addresses) => {
        const [first] = addresses
        if (options.all === true || first === undefined) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    )
  }
}

async function allowedAddresses(hostname: string, policy: DialPolicy, lookup: NameLookup): Promise<LookupAddress[]> {
  const addresses = await lookup(hostname)
  if (addresses.length === 0) throw new Error(`no address for ${hostname}`)
  for (const { address } of addresses) checkAddress(address, policy)
  return [...addresses]
}
