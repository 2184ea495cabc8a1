-- The rows that the benchmarks read: the same in every tenant, ids included, so that one request fits all of them.

insert into users (id, email, name)
select md5('user' || n)::uuid, 'user' || n || '@bench.test', 'User ' || n
from generate_series(1, 20) n;

insert into projects (id, key, name, lead_id)
select md5('project' || n)::uuid, 'BENCH' || n, 'Project ' || n, md5('user' || n)::uuid
from generate_series(1, 5) n;

insert into issues (id, project_id, title, body, status, reporter_id, assignee_id, created_at)
select
  md5('issue' || n)::uuid,
  md5('project' || n % 5 + 1)::uuid,
  'Issue ' || n || ': what a title of some length looks like',
  repeat('What the issue is about, in a sentence. ', 8),
  (array['open', 'in_progress', 'in_review', 'done', 'cancelled']::issue_status[])[n % 5 + 1],
  md5('user' || n % 20 + 1)::uuid,
  md5('user' || n * 7 % 20 + 1)::uuid,
  timestamptz '2025-01-01' + n * interval '1 hour'
from generate_series(1, 200) n;

insert into comments (id, issue_id, author_id, body, created_at)
select
  md5('comment' || n || '/' || m)::uuid,
  md5('issue' || n)::uuid,
  md5('user' || (n + m) % 20 + 1)::uuid,
  'Comment ' || m || ': one more thought about it, in a sentence.',
  timestamptz '2025-02-01' + n * interval '1 hour' + m * interval '1 minute'
from generate_series(1, 200) n, generate_series(1, 5) m;
