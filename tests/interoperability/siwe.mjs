// Answers a challenge of the gateway, as a page built on viem does.
//
//   node siwe.mjs PRIVATE_KEY CHALLENGE_JSON   →   {"message": …, "signature": …}
//   node siwe.mjs read MESSAGE                 →   the message's fields
import {privateKeyToAccount} from 'viem/accounts'
import {createSiweMessage, parseSiweMessage} from 'viem/siwe'

const [first, second] = process.argv.slice(2)
if (first === 'read') {
  console.log(JSON.stringify(parseSiweMessage(second)))
} else {
  const account = privateKeyToAccount(first)
  const challenge = JSON.parse(second)
  const message = createSiweMessage({
    address: account.address,
    chainId: challenge.chain_id,
    domain: challenge.domain,
    uri: challenge.uri,
    nonce: challenge.nonce,
    version: '1',
    statement: 'See images at the hospital.',
    issuedAt: new Date(challenge.issued_at),
    expirationTime: new Date(challenge.expiration_time),
    resources: ['urn:duo:CC'],
  })
  console.log(JSON.stringify({message, signature: await account.signMessage({message})}))
}
