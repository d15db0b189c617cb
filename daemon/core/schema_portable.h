// The source's schema as the target is to have it: without what only its platform has.
//
// A managed platform adds schemas, roles and functions of its own (Supabase: auth, storage, anon)
// and users' tables lean on them: policies, defaults, foreign keys to auth.users, webhook triggers.
// None of that exists on a plain PostgreSQL. What can be said otherwise is rewritten, the rest is
// left out, and all of it is named.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/schema.h"

namespace repld::schema {

// Whether the text names something in a schema that belongs to a platform, as in "auth.uid()".
bool names_platform(std::string_view text);

// uuid_generate_v4(), wherever it lives, is gen_random_uuid(), which needs no extension.
std::string without_uuid_extension(std::string text);

// Replaces `from` by `to` where it stands as a whole name.
std::string replace_name(const std::string& text, const std::string& from, const std::string& to);

struct Portable {
  Database schema;
  std::vector<Finding> left_out;
};
// `source` holds the tables to replicate and nothing else.
Portable make_portable(Database source, const Database& target);

}  // namespace repld::schema
