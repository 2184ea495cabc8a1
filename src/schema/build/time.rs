//! How dates and times are grouped: as they are, or truncated.

use indexmap::IndexMap;

use super::{Builder, input};
use crate::schema::naming::Clash;
use crate::schema::time::TimeUnit;
use crate::schema::types::{EnumDef, EnumMeaning, InputDef, InputMeaning, Type, TypeDef};

impl Builder<'_> {
    pub(super) fn add_groupings(&mut self) -> Result<(), Clash> {
        let all = &TimeUnit::ALL[..];
        let dates = &TimeUnit::ALL[TimeUnit::OF_DATES..];
        for (name, units) in [("TimeUnit", all), ("DateUnit", dates)] {
            let units = EnumDef {
                description: Some("Weeks start on Monday.".into()),
                values: units.iter().map(|unit| unit.keyword().to_owned()).collect(),
                meaning: EnumMeaning::Keyword,
            };
            self.add_own(name, TypeDef::Enum(units))?;
        }
        for (name, unit, zoned) in [
            ("DateGrouping", "DateUnit", false),
            ("DateTimeGrouping", "TimeUnit", true),
            ("LocalDateTimeGrouping", "TimeUnit", false),
        ] {
            let text = "Where the value is cut off; left out, it stays as it is.";
            let mut fields = IndexMap::from([(
                "truncate".to_owned(),
                input(Type::named(unit), InputMeaning::Truncate, text),
            )]);
            if zoned {
                let text = "Where its days begin, such as `Europe/Berlin`. UTC when left out.";
                let zone = input(Type::named("String"), InputMeaning::TimeZone, text);
                fields.insert("timeZone".to_owned(), zone);
            }
            let grouping = InputDef {
                description: Some("Values that are the same, or fall into the same span.".into()),
                fields,
                one_of: false,
            };
            self.add_own(name, TypeDef::Input(grouping))?;
        }
        Ok(())
    }

    fn add_own(&mut self, name: &str, def: TypeDef) -> Result<(), Clash> {
        self.add(name.into(), def, "the service".into(), "")
    }
}
