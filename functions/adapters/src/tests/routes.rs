//! The routes that ask a VIM.

use super::*;
