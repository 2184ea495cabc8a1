// The first query that a visitor sees; made from the schema, because the tables are the app's own.
import { getNamedType, getNullableType, isLeafType, isListType, isObjectType, isRequiredArgument } from "graphql";

const PLATFORM = `# Sign up a new customer:
# press ▶ or Ctrl+Enter.

mutation SignUp {
  signUp(
    input: {
      organization: "Initech"
      subdomain: "initech"
      name: "Bill"
      email: "bill@initech.test"
      password: "a long password"
    }
  ) {
    tenant {
      id
      name
      subdomain
      status
    }
    url
    accessToken
  }
}
`;

/** The text of the first tab until the schema is known. */
export function placeholder(config) {
  if (config.site === "platform") return PLATFORM;
  return `${welcome(config.tenant)}\n{\n  __typename\n}\n`;
}

/** A query over the first connection of `schema`, or null if it has none. */
export function example(config, schema) {
  if (config.site === "platform") return null;
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const columns = connectionColumns(field);
    if (columns) return welcome(config.tenant) + query(field.name, columns);
  }
  return null;
}

function welcome(tenant) {
  return `# The GraphQL API of ${tenant}.
# Sign in above, then press ▶
# or Ctrl+Enter to run this.
`;
}

function query(field, columns) {
  const name = field[0].toUpperCase() + field.slice(1);
  const nodes = columns.map((column) => `      ${column}\n`).join("");
  return `\nquery ${name} {\n  ${field}(first: 5) {\n    totalCount\n    nodes {\n${nodes}    }\n  }\n}\n`;
}

/** Up to four telling columns of a connection's rows; null if `field` is no connection that anybody may ask for. */
function connectionColumns(field) {
  const connection = getNamedType(field.type);
  if (!isObjectType(connection) || field.args.some(isRequiredArgument)) return null;
  const { nodes, totalCount } = connection.getFields();
  if (!nodes || !totalCount || !isListType(getNullableType(nodes.type))) return null;
  const row = getNamedType(nodes.type);
  if (!isObjectType(row)) return null;

  const leaves = Object.values(row.getFields())
    .filter((column) => isLeafType(getNamedType(column.type)) && !column.args.some(isRequiredArgument))
    .map((column) => column.name);
  const telling = leaves.filter((name) => !/^id$|Id$/.test(name));
  const columns = (telling.length > 0 ? telling : leaves).slice(0, 4);
  return columns.length > 0 ? columns : null;
}
