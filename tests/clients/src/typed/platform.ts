// What people ask of the base domain before they have a workspace.
import { graphql } from "./platform/index.js";

export const SignUp = graphql(`
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
      tenant { id name subdomain status }
      url
      accessToken
    }
  }
`);
