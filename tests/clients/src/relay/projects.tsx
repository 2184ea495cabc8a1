// Projects and their issues: a list within a list, both with pages.
import { graphql, useLazyLoadQuery, usePaginationFragment, useRefetchableFragment } from "react-relay";
import type { projects_comments$key } from "./__generated__/projects_comments.graphql.js";
import type { projects_issues$key } from "./__generated__/projects_issues.graphql.js";
import type { projects_list$key } from "./__generated__/projects_list.graphql.js";
import type { projectsQuery } from "./__generated__/projectsQuery.graphql.js";

/** What the test does instead of a person. */
export interface Hands {
  moreProjects?: () => void;
  moreIssues: Map<string, () => void>;
  moreComments: Map<string, () => void>;
}

export function Projects({ hands }: { hands: Hands }) {
  const data = useLazyLoadQuery<projectsQuery>(
    graphql`
      query projectsQuery($projects: Int!, $status: IssueStatus!) {
        ...projects_list @arguments(count: $projects, status: $status)
      }
    `,
    { projects: 2, status: "OPEN" },
  );
  return <List query={data} hands={hands} />;
}

function List({ query, hands }: { query: projects_list$key; hands: Hands }) {
  const { data, loadNext, hasNext } = usePaginationFragment(
    graphql`
      fragment projects_list on Query
      @argumentDefinitions(
        count: { type: "Int", defaultValue: 10 }
        cursor: { type: "Cursor" }
        status: { type: "IssueStatus!" }
      )
      @refetchable(queryName: "projectsListQuery") {
        projects(first: $count, after: $cursor, orderBy: [{ name: ASC }])
          @connection(key: "projects_list_projects", filters: ["orderBy"]) {
          edges {
            node {
              id
              name
              ...projects_issues @arguments(status: $status)
            }
          }
        }
      }
    `,
    query,
  );
  if (hasNext) hands.moreProjects = () => loadNext(2);
  else delete hands.moreProjects;
  return (
    <ul>
      {data.projects.edges.map(({ node }) => (
        <li key={node.id} title={node.name}>
          <Issues project={node} hands={hands} />
        </li>
      ))}
    </ul>
  );
}

function Issues({ project, hands }: { project: projects_issues$key; hands: Hands }) {
  const { data, loadNext, hasNext } = usePaginationFragment(
    graphql`
      fragment projects_issues on Project
      @argumentDefinitions(
        count: { type: "Int", defaultValue: 2 }
        cursor: { type: "Cursor" }
        status: { type: "IssueStatus!" }
      )
      @refetchable(queryName: "projectsIssuesQuery") {
        name
        issues(first: $count, after: $cursor, where: { status: { eq: $status } }, orderBy: [{ number: ASC }])
          @connection(key: "projects_issues_issues") {
          totalCount
          edges {
            node {
              id
              number
              ...projects_comments
            }
          }
        }
      }
    `,
    project,
  );
  if (hasNext) hands.moreIssues.set(data.name, () => loadNext(3));
  else hands.moreIssues.delete(data.name);
  return (
    <ol title={`${data.issues.totalCount}`}>
      {data.issues.edges.map(({ node }) => (
        <li key={node.id} value={node.number}>
          <Comments issue={node} hands={hands} />
        </li>
      ))}
    </ol>
  );
}

function Comments({ issue, hands }: { issue: projects_comments$key; hands: Hands }) {
  const [data, refetch] = useRefetchableFragment(
    graphql`
      fragment projects_comments on Issue
      @argumentDefinitions(last: { type: "Int", defaultValue: 1 })
      @refetchable(queryName: "projectsCommentsQuery") {
        id
        comments(last: $last, orderBy: [{ createdAt: ASC }]) {
          totalCount
          nodes {
            id
            author {
              name
            }
          }
        }
      }
    `,
    issue,
  );
  hands.moreComments.set(data.id, () => refetch({ last: 1000 }));
  return (
    <i id={data.id} title={`${data.comments.totalCount}`}>
      {data.comments.nodes.map(({ id, author }) => (
        <b key={id}>{author.name}</b>
      ))}
    </i>
  );
}
