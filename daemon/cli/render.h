// The daemon's JSON as text for people: tables, bars, colour only where it helps and only on a
// terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace repld::cli {

std::string render_status(const nlohmann::json& status, bool colour);
std::string render_tables(const nlohmann::json& status);
// What verify answers.
std::string render_proofs(const nlohmann::json& proofs, bool colour);
std::string render_event(const nlohmann::json& event);

std::string bytes_text(int64_t bytes);  // "3.4 MB"

}  // namespace repld::cli
