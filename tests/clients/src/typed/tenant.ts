// What an app asks of a tenant.
import { graphql } from "./tenant/index.js";

export const LogIn = graphql(`
  mutation LogIn($input: LogInInput!) {
    logIn(input: $input) {
      accessToken
      user { id name email }
    }
  }
`);

export const Viewer = graphql(`
  query Viewer {
    viewer { __typename nodeId id name email createdAt }
  }
`);

export const IssueCard = graphql(`
  fragment IssueCard on Issue {
    __typename
    nodeId
    id
    number
    title
    status
    priority
    createdAt
    dueDate
    estimateHours
    customFields
    assignee { ...Person }
    labels(orderBy: [{ name: ASC }]) { nodes { id name color } }
  }
`);

export const Person = graphql(`
  fragment Person on User {
    __typename
    nodeId
    id
    name
  }
`);

export const Issues = graphql(`
  query Issues($project: String!, $first: Int!, $after: Cursor, $where: IssueFilter, $orderBy: [IssueOrder!]) {
    projectByKey(key: $project) {
      __typename
      nodeId
      id
      name
      topics
      issues(first: $first, after: $after, where: $where, orderBy: $orderBy) {
        totalCount
        edges { cursor node { ...IssueCard } }
        pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
      }
    }
  }
`);

export const Dashboard = graphql(`
  query Dashboard {
    issues {
      groups(by: [{ status: true }, { createdAt: { truncate: MONTH } }], orderBy: [{ count: DESC }], first: 3) {
        key { status createdAt }
        count
        aggregates { sum { estimateHours number } avg { number } max { createdAt } }
      }
    }
  }
`);

export const FileIssue = graphql(`
  mutation FileIssue($input: IssueInput!) {
    createIssue(input: $input) { ...IssueCard }
  }
`);

export const EditIssue = graphql(`
  mutation EditIssue($id: UUID!, $set: IssuePatch!) {
    updateIssue(id: $id, set: $set) { ...IssueCard }
  }
`);

export const CloseIssues = graphql(`
  mutation CloseIssues($where: IssueFilter!) {
    updateIssues(where: $where, set: { status: DONE }) {
      affectedCount
      nodes { __typename nodeId id status closedAt }
    }
  }
`);

export const AddLabels = graphql(`
  mutation AddLabels($inputs: [LabelInput!]!) {
    createLabels(inputs: $inputs) { affectedCount nodes { id name } }
  }
`);

export const Again = graphql(`
  query Again($nodeId: ID!) {
    node(nodeId: $nodeId) {
      __typename
      nodeId
      ...IssueCard
      ... on User { email }
    }
  }
`);
