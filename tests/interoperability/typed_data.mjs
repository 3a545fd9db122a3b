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
  {name: 'from', type: 'uint32'},
  {name: 'until', type: 'uint32'},
  {name: 'purposes', type: 'string[]'},
  {name: 'conditions', type: 'string[]'},
  {name: 'disease', type: 'bytes13'},
]
const basis = [
  {name: 'seen', type: 'uint32'},
  {name: 'epoch', type: 'uint16'},
]
const when = [
  {name: 'signed', type: 'uint32'},
  {name: 'deadline', type: 'uint40'},
]
const types = {
  Grant: [...whose, ...terms, ...basis, ...when],
  Revoke: [...whose, ...when],
  RevokeAll: [whose[0], basis[1], ...when],
  ForbidEmergencies: [whose[0], {name: 'forbidden', type: 'bool'}, basis[0], ...when],
  Approve: [{name: 'requester', type: 'address'}, ...whose, ...terms, ...basis, ...when],
}

const [key, domain, primaryType, message] = process.argv.slice(2)
const signature = await privateKeyToAccount(key).signTypedData({
  domain: JSON.parse(domain),
  types,
  primaryType,
  message: JSON.parse(message),
})
process.stdout.write(signature)
