//! The root elements of the protocol, told by their names.

/// What a vector's message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Def,
    Set,
    New,
}

/// What a vector's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Switch,
    Light,
    Blob,
}

/// A root element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Vector(Verb, Kind),
    GetProperties,
    DelProperty,
    Message,
    EnableBlob,
    PingRequest,
    PingReply,
}

impl Root {
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        let vector = |verb| {
            let kind = match name.get(3..)?.strip_suffix(b"Vector")? {
                b"Text" => Kind::Text,
                b"Number" => Kind::Number,
                b"Switch" => Kind::Switch,
                b"Light" => Kind::Light,
                b"BLOB" => Kind::Blob,
                _ => return None,
            };
            Some(Root::Vector(verb, kind))
        };
        match name.get(..3)? {
            b"set" => vector(Verb::Set),
            b"def" => vector(Verb::Def),
            b"new" => vector(Verb::New),
            // An element, more often than all that follows.
            b"one" => None,
            _ => match name {
                b"message" => Some(Root::Message),
                b"delProperty" => Some(Root::DelProperty),
                b"getProperties" => Some(Root::GetProperties),
                b"enableBLOB" => Some(Root::EnableBlob),
                b"pingRequest" => Some(Root::PingRequest),
                b"pingReply" => Some(Root::PingReply),
                _ => None,
            },
        }
    }

    /// True when the content of an element of such a name is a file.
    pub(super) fn is_file(self, element: &[u8]) -> bool {
        matches!(self, Root::Vector(Verb::Set | Verb::New, Kind::Blob)) && element == b"oneBLOB"
    }
}
