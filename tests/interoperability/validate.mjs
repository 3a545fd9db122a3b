// Checks documents against a JSON schema, as the registry of ERC-7730 does.
//
//   node validate.mjs SCHEMA FILE…   →   a line of JSON for each file: its errors, or null
import {readFileSync} from 'node:fs'
import Ajv from 'ajv'

const [schema, ...files] = process.argv.slice(2)
const read = file => JSON.parse(readFileSync(file, 'utf8'))
// The schema names formats of its own, and keywords of a later draft.
const validate = new Ajv({strict: false, validateFormats: false, allErrors: true}).compile(read(schema))
for (const file of files) console.log(JSON.stringify(validate(read(file)) ? null : validate.errors))
