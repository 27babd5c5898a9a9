//! Keys as such: what they hold, what that takes, other names for it.

use manifold_engine::{
    Key,
    types::{KeyInfo, Moved, Replace},
};

use super::{
    access::Role,
    commands::{Command, Context, Done, Line, line},
    error::{Error, absent, type_name},
    kv::ACTOR,
    object::Object,
    payload::{self, Payload},
};

#[cfg(test)]
mod tests;

/// The commands of this file.
pub(super) const COMMANDS: &[Line] = &[
    line::<Type>(),
    line::<Exists>(),
    line::<RandomKey>(),
    line::<Rename>(),
    line::<RenameNx>(),
    line::<CopyKey>(),
    line::<Usage>(),
];

/// `key.type`
#[derive(Debug)]
struct Type(Key);

impl Command for Type {
    const NAME: &'static str = "key.type";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Type)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let name = info(context, &self.0)?.map_or("none", |info| type_name(info.key_type));
        Object::new(out).name("key", self.0.as_bytes()).text("type", name).close();
        Ok(Done::Ok)
    }
}

/// `key.exists`
#[derive(Debug)]
struct Exists(Key);

impl Command for Exists {
    const NAME: &'static str = "key.exists";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Exists)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let exists = info(context, &self.0)?.is_some();
        Object::new(out).name("key", self.0.as_bytes()).flag("exists", exists).close();
        Ok(Done::Ok)
    }
}

/// `key.randomkey`
#[derive(Debug)]
struct RandomKey;

impl Command for RandomKey {
    const NAME: &'static str = "key.randomkey";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(RandomKey)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        match context.engine().key_random(context.namespace())? {
            Some(key) => Object::new(out).name("key", key.as_bytes()).close(),
            None => Object::new(out).null("key").close(),
        }
        Ok(Done::Ok)
    }
}

/// From which key to which.
#[derive(Debug)]
struct Move {
    source: Key,
    destination: Key,
}

impl Move {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [source, destination] = payload.members(&["source", "destination"])?;
        let source = payload::key(source, "source")?;
        Ok(Move { source, destination: payload::key(destination, "destination")? })
    }

    /// What is at the source gets another name.
    async fn rename(&self, context: &Context<'_>, replace: Replace) -> Result<Moved, Error> {
        let Move { source, destination } = self;
        Ok(context.engine().key_rename(context.namespace(), source, destination, replace, &ACTOR).await?)
    }

    /// Appends the answer, unless there was no source.
    fn answer(&self, moved: Moved, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Move { source, destination } = self;
        if moved == Moved::NoSource {
            return Err(absent(source));
        }
        let object = Object::new(out).flag("success", moved == Moved::Done).name("source", source.as_bytes());
        object.name("destination", destination.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// `key.rename`
#[derive(Debug)]
struct Rename(Move);

impl Command for Rename {
    const NAME: &'static str = "key.rename";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Move::read(payload).map(Rename)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let moved = self.0.rename(context, Replace::Any).await?;
        self.0.answer(moved, out)
    }
}

/// `key.renamenx`
#[derive(Debug)]
struct RenameNx(Move);

impl Command for RenameNx {
    const NAME: &'static str = "key.renamenx";
    const ROLE: Role = Role::ReadWrite;
    const DEFERS: bool = true;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Move::read(payload).map(RenameNx)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        match self.0.rename(context, Replace::Nothing).await? {
            Moved::Taken => Err(Error::KeyExists(self.0.destination.as_bytes().to_vec())),
            moved => self.0.answer(moved, out),
        }
    }
}

/// `key.copy`
#[derive(Debug)]
struct CopyKey {
    keys: Move,
    replace: Replace,
}

impl Command for CopyKey {
    const NAME: &'static str = "key.copy";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let keys = Move::read(payload)?;
        let [replace] = payload.members(&["replace"])?;
        let replace = if payload::flag(replace, "replace", false)? { Replace::Any } else { Replace::Nothing };
        Ok(CopyKey { keys, replace })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Move { source, destination } = &self.keys;
        let copied = context.engine().key_copy(context.namespace(), source, destination, self.replace, ACTOR);
        self.keys.answer(copied.await?, out)
    }
}

/// `memory.usage`
#[derive(Debug)]
struct Usage(Key);

impl Command for Usage {
    const NAME: &'static str = "memory.usage";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(Usage)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let found = info(context, &self.0)?;
        let bytes = found.map_or(0, |info| info.bytes);
        let object = Object::new(out);
        let object = if found.is_some() { object.name("key", self.0.as_bytes()) } else { object };
        object.number("bytes", bytes).text("human", &human(bytes)).close();
        Ok(Done::Ok)
    }
}

/// What a key is, whatever it holds.
pub(super) fn info(context: &Context<'_>, key: &Key) -> Result<Option<KeyInfo>, Error> {
    let found = context.engine().key_info(context.namespace(), std::slice::from_ref(key))?;
    Ok(found.into_iter().next().flatten())
}

/// A number of bytes as people read it.
fn human(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.2}{name}", bytes as f64 / *unit as f64),
        None => format!("{bytes}B"),
    }
}
