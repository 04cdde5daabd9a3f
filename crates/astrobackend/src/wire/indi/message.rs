//! The messages of INDI 1.7, as servers and clients send them.

use std::borrow::Cow;

/// A text that usually borrows from the parser's buffer.
type Text<'a> = Cow<'a, str>;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// From the word on the wire; `None` for any other.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }
    };
}

words!(
    /// The state of a vector, and the value of a light.
    State {
        /// Nothing to say.
        Idle = "Idle",
        /// Done, or all is well.
        Ok = "Ok",
        /// Under way.
        Busy = "Busy",
        /// Failed, or in need of attention.
        Alert = "Alert",
    }
);

words!(
    /// Who may change a vector.
    Perm {
        /// The device alone.
        ReadOnly = "ro",
        /// Clients; its values mean nothing.
        WriteOnly = "wo",
        /// Clients.
        ReadWrite = "rw",
    }
);

words!(
    /// How many switches of a vector can be on.
    Rule {
        /// Exactly one.
        OneOfMany = "OneOfMany",
        /// One or none.
        AtMostOne = "AtMostOne",
        /// Any number.
        AnyOfMany = "AnyOfMany",
    }
);

words!(
    /// Whether a client wants BLOBs; the default of a connection is never.
    BlobMode {
        /// No BLOBs.
        Never = "Never",
        /// BLOBs and everything else.
        Also = "Also",
        /// Nothing but BLOBs.
        Only = "Only",
    }
);

/// One root element of the stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Asks for the definitions of everything, of a device, or of a vector.
    GetProperties {
        /// Only of this device.
        device: Option<Text<'a>>,
        /// Only this vector.
        name: Option<Text<'a>>,
    },
    /// Defines a vector, or defines it again.
    Def(Vector<'a>),
    /// Reports values: some or all of the elements.
    Set(Vector<'a>),
    /// Asks for new values.
    New(Vector<'a>),
    /// A vector, or all of a device, is gone.
    DelProperty {
        /// The device.
        device: Text<'a>,
        /// The vector; `None` for all of the device.
        name: Option<Text<'a>>,
        /// For people.
        message: Option<Text<'a>>,
    },
    /// Something said to people.
    Message {
        /// By whom; `None` for the server as a whole.
        device: Option<Text<'a>>,
        /// When, UTC, `YYYY-MM-DDTHH:MM:SS`.
        timestamp: Option<Text<'a>>,
        /// By convention beginning with `[INFO] `, `[WARNING] ` or `[ERROR] `.
        text: Text<'a>,
    },
    /// Asks for BLOBs.
    EnableBlob {
        /// From this device.
        device: Option<Text<'a>>,
        /// From this vector; without it, `indiserver` changes the whole connection.
        name: Option<Text<'a>>,
        /// How.
        mode: BlobMode,
    },
    /// Wants a [`Message::PingReply`] with the same `uid`, after everything before it was consumed.
    PingRequest {
        /// Names the request.
        uid: Text<'a>,
    },
    /// The answer to a [`Message::PingRequest`].
    PingReply {
        /// The request's name.
        uid: Text<'a>,
    },
}

/// The body of a `def`, `set` or `new` message. What the sender left out is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector<'a> {
    /// The device.
    pub device: Text<'a>,
    /// The vector's name.
    pub name: Text<'a>,
    /// What people call it (`def` only).
    pub label: Option<Text<'a>>,
    /// The page it is shown on (`def` only).
    pub group: Option<Text<'a>>,
    /// Its state; `None` keeps the last.
    pub state: Option<State>,
    /// Who may change it (`def` only).
    pub perm: Option<Perm>,
    /// How many switches can be on (`def` of switches only).
    pub rule: Option<Rule>,
    /// The device's guess at the worst time that a change takes, seconds; 0 for none.
    pub timeout: Option<f64>,
    /// When, UTC, `YYYY-MM-DDTHH:MM:SS`.
    pub timestamp: Option<Text<'a>>,
    /// For people.
    pub message: Option<Text<'a>>,
    /// The elements, all of one kind.
    pub elements: Elements<'a>,
}

impl<'a> Vector<'a> {
    /// Only device, name and elements: what a `new` message needs.
    pub fn new(device: impl Into<Text<'a>>, name: impl Into<Text<'a>>, elements: Elements<'a>) -> Self {
        Vector {
            device: device.into(),
            name: name.into(),
            label: None,
            group: None,
            state: None,
            perm: None,
            rule: None,
            timeout: None,
            timestamp: None,
            message: None,
            elements,
        }
    }
}

/// The elements of a vector, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements<'a> {
    /// Texts.
    Text(Vec<Element<'a, Text<'a>>>),
    /// Numbers.
    Number(Vec<Element<'a, Number<'a>>>),
    /// Switches: on is true.
    Switch(Vec<Element<'a, bool>>),
    /// Lights.
    Light(Vec<Element<'a, State>>),
    /// Files.
    Blob(Vec<Element<'a, Blob<'a>>>),
}

/// One element of a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Element<'a, T> {
    /// Its name.
    pub name: Text<'a>,
    /// What people call it (`def` only).
    pub label: Option<Text<'a>>,
    /// Its value.
    pub value: T,
}

impl<'a, T> Element<'a, T> {
    /// A name and a value.
    pub fn new(name: impl Into<Text<'a>>, value: T) -> Self {
        Element { name: name.into(), label: None, value }
    }
}

/// The value of a number, and its limits where they are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number<'a> {
    /// The value; `None` when the sender wrote none that can be read.
    pub value: Option<f64>,
    /// How to show it: printf style, or INDI's `%<width>.<fraction>m` for sexagesimal.
    pub format: Option<Text<'a>>,
    /// Smallest value; also in `set` messages, where it changes the limit.
    pub min: Option<f64>,
    /// Largest value; no limit when it is not above `min`.
    pub max: Option<f64>,
    /// Smallest change; 0 for any.
    pub step: Option<f64>,
}

impl From<f64> for Number<'_> {
    fn from(value: f64) -> Self {
        Number { value: Some(value), ..Number::default() }
    }
}

/// The value of a BLOB: a file, already decoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blob<'a> {
    /// Its file extension, `.fits` for example; `.z` at the end means compressed.
    pub format: Text<'a>,
    /// Bytes after decompression, as the sender says.
    pub size: Option<u64>,
    /// Bytes that are valid, as the sender says.
    pub length: Option<u64>,
    /// The bytes, cut to the length that the sender gave; empty in a definition and in mere changes of state.
    pub data: Vec<u8>,
    /// The bytes come as a shared memory descriptor beside the stream (unix sockets only).
    pub attached: bool,
}
