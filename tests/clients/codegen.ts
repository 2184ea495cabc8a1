import type { CodegenConfig } from "@graphql-codegen/cli";

const platform = process.env.TENANTRY_BASE_URL;
if (!platform) throw new Error("TENANTRY_BASE_URL is not set");

const config = {
  strictScalars: true,
  useTypeImports: true,
  enumsAsTypes: true,
  scalars: {
    UUID: "string",
    DateTime: "string",
    LocalDateTime: "string",
    Date: "string",
    Time: "string",
    Interval: "string",
    BigInt: "string",
    Decimal: "string",
    Bytes: "string",
    Cursor: "string",
    JSON: "unknown",
  },
};

const codegen: CodegenConfig = {
  generates: {
    // The API of a tenant.
    "src/typed/tenant/": {
      schema: "../../schema.graphql",
      documents: "src/typed/tenant.ts",
      preset: "client",
      presetConfig: {
        fragmentMasking: { unmaskFunctionName: "unmask" },
        persistedDocuments: { hashAlgorithm: "sha256" },
      },
      config,
    },
    // The API of the base domain, asked of the service itself.
    "src/typed/platform/": {
      schema: `${platform}/graphql`,
      documents: "src/typed/platform.ts",
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config,
    },
  },
};

export default codegen;
