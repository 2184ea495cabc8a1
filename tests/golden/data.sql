-- The rows that the golden cases read: few enough to check every answer by eye, with ties, nulls and odd values.

truncate projects, labels, users cascade;

insert into users (id, email, name, role, created_at) values
  ('a0000000-0000-0000-0000-000000000001', 'ada@golden.test', 'Ada', 'owner', '2026-01-01 08:00Z'),
  ('a0000000-0000-0000-0000-000000000002', 'bob@golden.test', 'Bob O''Hara', 'member', '2026-01-02 08:00Z'),
  ('a0000000-0000-0000-0000-000000000003', 'cleo@golden.test', 'Cléo "C" Ünal', 'member', '2026-01-03 08:00Z');

insert into projects (id, key, name, description, topics, lead_id, archived_at, created_at, updated_at) values
  ('b0000000-0000-0000-0000-000000000001', 'APP', 'App', 'What customers see.', '{web,mobile}',
    'a0000000-0000-0000-0000-000000000001', null, '2026-02-01 00:00Z', '2026-02-01 00:00Z'),
  ('b0000000-0000-0000-0000-000000000002', 'OPS', 'Operations', '', '{}',
    'a0000000-0000-0000-0000-000000000002', null, '2026-02-02 00:00Z', '2026-02-02 00:00:00.123456Z'),
  ('b0000000-0000-0000-0000-000000000003', 'OLD', 'Old things', '100% \ _done_', '{"a, b","c \"d\"",NULL}',
    null, '2026-03-01 12:30Z', '2025-01-01 00:00Z', '2025-01-01 00:00Z');

insert into issues (id, project_id, number, title, body, status, priority, reporter_id, assignee_id, due_date,
  estimate_hours, custom_fields, created_at, closed_at, updated_at)
select
  ('c0000000-0000-0000-0000-00000000000' || row)::uuid,
  ('b0000000-0000-0000-0000-00000000000' || project)::uuid,
  number, title, body, status::issue_status, priority::issue_priority,
  ('a0000000-0000-0000-0000-00000000000' || reporter)::uuid,
  ('a0000000-0000-0000-0000-00000000000' || assignee)::uuid,
  due::date, hours, fields::jsonb,
  '2026-04-01 09:00Z'::timestamptz + row * interval '1 day', closed::timestamptz,
  '2026-05-01 09:00Z'
from (values
  (1, 1, 1, 'Log in fails', 'On phones.', 'open', 'high', 1, 2, '2026-06-01', 1.5, '{"build": 17, "os": "iOS"}', null),
  (2, 1, 2, 'Dark mode', '', 'in_progress', 'low', 2, 2, null, 40.0, '{}', null),
  (3, 1, 3, 'log out fails', 'Sometimes; see "Log in fails".', 'done', 'high', 3, null, '2026-06-01', null,
    '{"build": 18, "tags": ["a", {"b": null}]}', '2026-04-20 10:00Z'),
  (4, 1, 4, '50% off isn''t 50_% off \ really', '', 'open', 'urgent', 1, 3, '2026-05-15', 0.1, '{}', null),
  (5, 2, 1, 'Rotate keys', '', 'open', 'high', 1, null, null, 8.0, '{"build": null}', null),
  (6, 2, 2, 'Naïve backup 🗄', 'Zeile eins
Zeile zwei	Tab', 'cancelled', 'medium', 2, 1, null, null, '{}', '2026-04-08 00:00:00.000001Z')
) as issues (row, project, number, title, body, status, priority, reporter, assignee, due, hours, fields, closed);

insert into comments (id, issue_id, author_id, body, created_at, updated_at)
select
  ('d0000000-0000-0000-0000-00000000000' || row)::uuid,
  ('c0000000-0000-0000-0000-00000000000' || issue)::uuid,
  ('a0000000-0000-0000-0000-00000000000' || author)::uuid,
  body, '2026-04-10 10:00Z'::timestamptz + row * interval '1 hour', '2026-04-10 10:00Z'
from (values
  (1, 1, 1, 'I see it too.'), (2, 1, 2, 'Fixed on my branch.'), (3, 3, 3, 'I see nothing.'), (4, 5, 1, 'Today.')
) as comments (row, issue, author, body);

insert into labels (id, name, color, description, created_at) values
  ('e0000000-0000-0000-0000-000000000001', 'bug', '#d73a4a', 'Broken.', '2026-01-01 00:00Z'),
  ('e0000000-0000-0000-0000-000000000002', 'idea', '#0e8a16', '', '2026-01-01 00:00Z'),
  ('e0000000-0000-0000-0000-000000000003', 'unused', '#808080', '', '2026-01-01 00:00Z');

insert into issue_labels (issue_id, label_id)
select
  ('c0000000-0000-0000-0000-00000000000' || issue)::uuid,
  ('e0000000-0000-0000-0000-00000000000' || label)::uuid
from (values (1, 1), (2, 2), (3, 1), (4, 1), (4, 2)) as worn (issue, label);
