-- What every new tenant finds in its workspace. Runs once, at sign-up, as the owner.

insert into labels (name, color, description) values
  ('bug', '#d73a4a', 'Something does not work as it should.'),
  ('feature', '#0e8a16', 'Something new.'),
  ('task', '#1d76db', 'Work that has to be done.'),
  ('good first issue', '#7057ff', 'Small and clear: made for somebody new.');

insert into projects (key, name, description, topics, lead_id) values
  ('START', 'Getting started', 'Three small issues that show you around. Archive it when you are done.', '{help}',
    tenantry.user_id());

with lessons (position, title, label, priority, body) as (values
  (1, 'Ask for this list', 'good first issue', 'high',
'Open `/graphiql` on your subdomain, sign in, and run:

```graphql
{ issues(where: {status: {eq: OPEN}}) { totalCount nodes { number title labels { nodes { name } } } } }
```

You should see this issue and its two neighbours.'),
  (2, 'Follow a relation', 'good first issue', 'medium',
'Every foreign key is a field, in both directions. From a project to its issues to the people:

```graphql
{ projectByKey(key: "START") { name lead { name } issues { nodes { title assignee { name } } } } }
```'),
  (3, 'Make a project of your own', 'task', 'medium',
'A project has a short key, a name and a lead; its issues are numbered from 1. When yours has its first issue, you no
longer need this one.')
),
filed as (
  insert into issues (project_id, title, body, priority, assignee_id)
  select projects.id, title, body, priority::issue_priority, tenantry.user_id()
  from lessons, projects where key = 'START' order by position
  returning id, title
)
insert into issue_labels (issue_id, label_id)
select filed.id, labels.id from filed join lessons using (title) join labels on labels.name = lessons.label;
