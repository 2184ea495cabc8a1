//! The slow and simple way: a resolver for each field on async-graphql's own executor, over rows in
//! memory. It shares nothing with the service but that library's executor and parser.

mod aggregates;
mod filter;
mod input;
mod page;

use std::sync::Arc;

use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, Interface, InterfaceField, Object, ResolverContext, Scalar,
    Schema, TypeRef,
};
use async_graphql::{Request, ValidationMode, Value};
use serde_json::{Map, Value as Json};

use super::world::{At, Cell, Kind, Link, MOODS, World, decimal};

pub(crate) struct Reference {
    world: Arc<World>,
    schema: Schema,
}

/// The variables' values, with those defaults that apply.
struct Variables(Map<String, Json>);

impl Reference {
    pub(crate) fn new(world: World) -> Self {
        let world = Arc::new(world);
        let node = Interface::new("Node").field(InterfaceField::new("nodeId", any().nn()));
        let mut builder = Schema::build("Query", None, None)
            .validation_mode(ValidationMode::Fast)
            .limit_recursive_depth(200)
            .register(Scalar::new("Any"))
            .register(node)
            .register(page::info_type())
            .register(query(&world));
        for table in 0..world.tables.len() {
            let name = world.tables[table].type_name();
            builder = builder
                .register(row_type(&world, table))
                .register(page::connection_type(&name))
                .register(page::edge_type(&name));
            for object in aggregates::types(&world, table) {
                builder = builder.register(object);
            }
        }
        let schema = builder.data(Arc::clone(&world)).finish().unwrap();
        Self { world, schema }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// The response, and its errors with their paths. The variables are complete: the executor
    /// forgets defaults where a directive asks for them.
    pub(crate) async fn answer(
        &self,
        document: &str,
        variables: Map<String, Json>,
    ) -> (Json, Vec<String>) {
        let request = Request::new(document)
            .variables(async_graphql::Variables::from_json(Json::Object(
                variables.clone(),
            )))
            .data(Variables(variables));
        let response = self.schema.execute(request).await;
        let errors = response.errors.into_iter().map(|error| error.message);
        (response.data.into_json().unwrap(), errors.collect())
    }
}

/// The only scalar: nothing is coerced or checked here.
fn any() -> Named {
    Named("Any".to_owned())
}

struct Named(String);

impl Named {
    fn nn(&self) -> TypeRef {
        TypeRef::named_nn(self.0.as_str())
    }

    fn of(&self, nullable: bool) -> TypeRef {
        if nullable {
            TypeRef::named(self.0.as_str())
        } else {
            self.nn()
        }
    }
}

type Resolved<'a> = Result<Option<FieldValue<'a>>, String>;

/// A field whose failure says where it is: the executor leaves that to resolvers.
fn field<F>(name: &str, ty: TypeRef, resolve: F) -> Field
where
    F: for<'a> Fn(&ResolverContext<'a>, &'a World) -> Resolved<'a> + Send + Sync + 'static,
{
    Field::new(name, ty, move |context| {
        let world: &Arc<World> = context.ctx.data_unchecked();
        let resolved = resolve(&context, world).map_err(|problem| {
            let path = context
                .ctx
                .path_node
                .map(async_graphql::QueryPathNode::to_string_vec);
            let keys: Vec<_> = path.unwrap_or_default();
            let keys: Vec<_> = keys
                .into_iter()
                .filter(|key| key.parse::<usize>().is_err())
                .collect();
            async_graphql::Error::new(format!("{}: {problem}", keys.join(".")))
        });
        FieldFuture::new(async move { resolved })
    })
}

fn this(context: &ResolverContext<'_>) -> At {
    *context.parent_value.downcast_ref::<At>().unwrap()
}

fn row<'a>(table: usize, row: usize) -> FieldValue<'a> {
    FieldValue::owned_any(At { table, row })
}

fn query(world: &World) -> Object {
    let node = field("node", TypeRef::named("Node"), |context, world| {
        let arguments = input::arguments(context);
        let Some(Value::String(id)) = arguments.get("nodeId") else {
            return Err("nodeId is required".into());
        };
        let found = world.node_ids.iter().enumerate().find_map(|(table, ids)| {
            let row = ids.iter().position(|known| known == id)?;
            Some(At { table, row })
        });
        Ok(found.map(|at| row(at.table, at.row).with_type(world.tables[at.table].type_name())))
    });
    let mut query = Object::new("Query").field(node);
    for (index, table) in world.tables.iter().enumerate() {
        let name = table.type_name();
        let connection = TypeRef::named_nn(format!("{name}Connection"));
        query = query.field(field(table.plural, connection, move |context, world| {
            let all = (0..world.tables[index].rows.len()).collect();
            page::list(context, world, index, all)
        }));
        let primary = [(table.singular.to_owned(), &table.key)];
        let others = table.unique.iter().map(|key| {
            let columns = key
                .iter()
                .map(|&column| super::world::capital(&table.columns[column].field()));
            let columns: Vec<_> = columns.collect();
            (format!("{}By{}", table.singular, columns.join("And")), key)
        });
        for (lookup, key) in primary
            .into_iter()
            .chain(others)
            .filter(|(_, key)| !key.is_empty())
        {
            query = query.field(by_key(&lookup, &name, index, key.clone()));
        }
    }
    query
}

fn by_key(lookup: &str, type_name: &str, table: usize, key: Vec<usize>) -> Field {
    field(lookup, TypeRef::named(type_name), move |context, world| {
        let arguments = input::arguments(context);
        let def = &world.tables[table];
        let mut wanted = Vec::new();
        for &column in &key {
            let column = &def.columns[column];
            let value = arguments.get(&column.field()).ok_or("a key is missing")?;
            wanted.push(input::cell(column.kind, value)?);
        }
        let mut rows = 0..def.rows.len();
        let found = rows.find(|&row| world.cells(At { table, row }, &key) == wanted);
        Ok(found.map(|found| row(table, found)))
    })
}

fn row_type(world: &World, index: usize) -> Object {
    let table = &world.tables[index];
    let mut object = Object::new(table.type_name());
    if !table.key.is_empty() {
        object = object
            .implement("Node")
            .field(field("nodeId", any().nn(), |context, world| {
                let At { table, row } = this(context);
                Ok(Some(FieldValue::value(world.node_ids[table][row].clone())))
            }));
    }
    for (place, column) in table.columns.iter().enumerate() {
        let kind = column.kind;
        let ty = any().of(column.nullable);
        object = object.field(field(&column.field(), ty, move |context, world| {
            let at = this(context);
            Ok(json(kind, &world.tables[at.table].rows[at.row][place]).map(FieldValue::value))
        }));
    }
    for link in world.links(index) {
        let (target, name) = world.link(index, link);
        let target_name = world.tables[target].type_name();
        object = object.field(if world.is_list(link) {
            let connection = TypeRef::named_nn(format!("{target_name}Connection"));
            field(&name, connection, move |context, world| {
                let linked = world.follow(this(context), link);
                page::list(context, world, target, linked)
            })
        } else {
            let required = |column: &usize| !table.columns[*column].nullable;
            let required = match link {
                Link::ToOne(place) => table.references[place].from.iter().all(required),
                _ => false,
            };
            field(
                &name,
                Named(target_name).of(!required),
                move |context, world| {
                    let linked = world.follow(this(context), link);
                    Ok(linked.first().map(|&found| row(target, found)))
                },
            )
        });
    }
    object
}

/// A cell as the API shows it.
fn json(kind: Kind, cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(yes) => Value::from(*yes),
        Cell::Int(place) if kind == Kind::Mood => {
            Value::from(MOODS[usize::try_from(*place).unwrap()].1)
        }
        Cell::Int(hundredths) if kind == Kind::Decimal => Value::from(decimal(*hundredths)),
        Cell::Int(number) if kind == Kind::BigInt => Value::from(number.to_string()),
        Cell::Int(number) => Value::from(*number),
        Cell::Float(number) => Value::from(*number),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Tags(tags) => Value::List(tags.iter().map(|tag| Value::from(tag.as_str())).collect()),
    })
}
