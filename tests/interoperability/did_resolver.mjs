// Asks npm's ethr-did-resolver, as an outsider would, and prints its answer as JSON.
//
//   node did_resolver.mjs abi
//   node did_resolver.mjs resolve ENDPOINT REGISTRY DID
//   node did_resolver.mjs digest ENDPOINT REGISTRY DID FUNCTION ARGUMENTS-AS-JSON
//
// `abi` is that of the reference ERC-1056 registry, `digest` what its controller has an owner sign.
import { Resolver } from 'did-resolver'
import didResolver from 'ethr-did-resolver'

const { EthereumDIDRegistry, EthrDidController, getResolver } = didResolver

const commands = {
  abi: () => EthereumDIDRegistry.abi,

  resolve: (rpcUrl, registry, did) => {
    const chainId = did.split(':')[2]
    const networks = [{ chainId, name: chainId, rpcUrl, registry }]
    return new Resolver(getResolver({ networks })).resolve(did)
  },

  digest: (rpcUrl, registry, did, name, values) => {
    const controller = new EthrDidController(
      did, undefined, undefined, undefined, undefined, rpcUrl, registry, false
    )
    return controller[`create${name[0].toUpperCase()}${name.slice(1)}Hash`](...JSON.parse(values))
  },
}

const [command, ...values] = process.argv.slice(2)
console.log(JSON.stringify(await commands[command](...values)))
process.exit(0) // the provider would go on polling
