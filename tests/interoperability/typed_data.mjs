// Signs what a patient consents to, as a wallet built on viem does.
//
//   node typed_data.mjs PRIVATE_KEY DOMAIN_JSON TYPE MESSAGE_JSON   →   the signature
import {privateKeyToAccount} from 'viem/accounts'

const whose = [
  {name: 'subject', type: 'address'},
  {name: 'grantee', type: 'address'},
  {name: 'scope', type: 'bytes32'},
]
const terms = [
  {name: 'from', type: 'uint40'},
  {name: 'until', type: 'uint40'},
  {name: 'purposes', type: 'uint16'},
  {name: 'conditions', type: 'uint16'},
  {name: 'disease', type: 'bytes13'},
]
const once = [
  {name: 'nonce', type: 'uint64'},
  {name: 'deadline', type: 'uint40'},
]
const types = {
  Grant: [...whose, ...terms, ...once],
  Revoke: [...whose, ...once],
  RevokeAll: [whose[0], ...once],
  Approve: [{name: 'requester', type: 'address'}, ...whose, ...terms, ...once],
}

const [key, domain, primaryType, message] = process.argv.slice(2)
const signature = await privateKeyToAccount(key).signTypedData({
  domain: JSON.parse(domain),
  types,
  primaryType,
  message: JSON.parse(message),
})
process.stdout.write(signature)
