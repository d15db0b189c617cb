// A cutover as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace repld::cli {

// A running cutover is at its last step.
size_t finished_steps(const nlohmann::json& cutover);
// Its finished steps from the given one on, a line each, with the time that each took.
std::string render_steps(const nlohmann::json& cutover, size_t from);
std::string render_cutover_findings(const nlohmann::json& cutover, bool colour);
// Findings and plan of one that was only rehearsed.
std::string render_rehearsal(const nlohmann::json& cutover, bool colour);
std::string render_outcome(const nlohmann::json& cutover, bool colour);

}  // namespace repld::cli
