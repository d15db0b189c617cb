// Quoting for SQL that is built from names.
//
// Source: PostgreSQL, "Lexical Structure". Both forms are always quoted, so no keyword list is
// needed and case is kept. Valid under standard_conforming_strings, which every session pins.
#pragma once

#include <string>
#include <string_view>

namespace repld {

std::string quote_identifier(std::string_view name);  // my"t -> "my""t"
std::string quote_literal(std::string_view text);     // it's -> 'it''s'
std::string quote_qualified(std::string_view schema, std::string_view name);

}  // namespace repld
