#include "core/type_fit.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace repld {

namespace {

constexpr long kNoLimit = 1L << 30;
constexpr long kDoubleDigits = 15;  // of any whole number that a double precision keeps
constexpr long kNameBytes = 63;
constexpr long kSecondDigits = 6;  // what times and intervals without a modifier have

// "timestamp(3) without time zone": base "timestamp without time zone", modifiers 3.
struct TypeName {
  std::string base;
  std::vector<long> modifiers;

  bool is_one_of(std::initializer_list<std::string_view> names) const {
    return std::find(names.begin(), names.end(), base) != names.end();
  }
  long modifier(size_t place, long otherwise) const {
    return place < modifiers.size() ? modifiers[place] : otherwise;
  }
};

TypeName parse(const std::string& type) {
  const size_t open = type.find('(');
  const size_t close = type.find(')', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) {
    return {type, {}};
  }
  TypeName name{type.substr(0, open) + type.substr(close + 1), {}};
  for (size_t at = open; at < close; at = std::min(close, type.find(',', at + 1))) {
    name.modifiers.push_back(std::strtol(&type[at + 1], nullptr, 10));
  }
  return name;
}

bool is_built_in(const TypeName& type) { return type.base.find('.') == std::string::npos; }

int integer_rank(const TypeName& type) {
  return type.base == "smallint" ? 1 : type.base == "integer" ? 2 : type.base == "bigint" ? 3 : 0;
}

bool is_float(const TypeName& type) { return type.is_one_of({"real", "double precision"}); }

// May end in blanks, and may write one value of another type in several ways.
bool is_text(const TypeName& type) {
  constexpr std::string_view kCitext = ".citext";
  const bool citext =
      type.base.size() > kCitext.size() &&
      type.base.compare(type.base.size() - kCitext.size(), kCitext.size(), kCitext) == 0;
  return citext || type.is_one_of(
                       {"text", "character varying", "character", "bpchar", "name", "json", "xml"});
}

// What holds a text as it is, or refuses it.
bool keeps_text(const TypeName& type) {
  return !is_built_in(type) || type.is_one_of({"text", "character varying", "character", "bpchar",
                                               "name", "\"char\"", "json", "xml"});
}

bool is_time(const TypeName& type) {
  return type.is_one_of({"date", "timestamp without time zone", "timestamp with time zone",
                         "time without time zone", "time with time zone"});
}

bool is_interval(const TypeName& type) { return type.base.rfind("interval", 0) == 0; }

constexpr std::array<std::string_view, 6> kFields = {"year", "month",  "day",
                                                     "hour", "minute", "second"};
constexpr size_t kSeconds = kFields.size() - 1;

// "interval day to second": what is less than the last field is cut off, nothing else is.
size_t least_field(const TypeName& interval) {
  const std::string_view base = interval.base;
  const auto last = std::find_if(kFields.begin(), kFields.end(),
                                 [&](std::string_view field) { return base.ends_with(field); });
  return last == kFields.end() ? kSeconds : static_cast<size_t>(last - kFields.begin());
}

bool loses_digits(const TypeName& source, long target_scale) {
  if (source.base == "numeric") {
    return source.modifier(1, kNoLimit) > target_scale;
  }
  return is_float(source) || (integer_rank(source) > 0 && target_scale < 0);
}

bool loses_number(const TypeName& source, const TypeName& target) {
  if (target.base == "numeric") {
    return !target.modifiers.empty() && loses_digits(source, target.modifier(1, 0));
  }
  if (target.base == "money") {
    return loses_digits(source, 2);
  }
  if (target.base == "double precision") {
    const bool short_whole = source.base == "numeric" && source.modifier(1, kNoLimit) == 0 &&
                             source.modifier(0, kNoLimit) <= kDoubleDigits;
    return source.is_one_of({"bigint", "numeric"}) && !short_whole;
  }
  if (target.base == "real") {
    return source.is_one_of({"integer", "bigint", "numeric", "double precision"});
  }
  if (target.base == "boolean") {
    return integer_rank(source) > 0 || is_float(source) || source.base == "numeric";
  }
  return target.is_one_of({"oid", "xid", "xid8", "cid"}) && integer_rank(source) > 0;
}

bool loses_time(const TypeName& source, const TypeName& target) {
  const bool fewer_digits = target.modifier(0, kSecondDigits) < source.modifier(0, kSecondDigits);
  if (is_time(source) && is_time(target)) {
    const bool midnight = source.base == "date" && target.base == "timestamp without time zone";
    return source.base == target.base ? fewer_digits : !midnight;
  }
  if (is_interval(source) && is_interval(target)) {
    const size_t least = least_field(source);
    return least_field(target) < least || (least == kSeconds && fewer_digits);
  }
  return false;
}

bool loses_text(const TypeName& source, const TypeName& target) {
  if (target.base == "\"char\"") {
    return !source.is_one_of({"\"char\"", "boolean"});
  }
  if (!is_text(source)) {
    return false;
  }
  if (target.base == "character varying") {
    const long most = source.modifier(0, source.base == "name" ? kNameBytes : kNoLimit);
    return most > target.modifier(0, kNoLimit);
  }
  if (target.base == "character") {
    return !source.is_one_of({"character", "bpchar"});
  }
  return source.base != target.base && (target.base == "name" || !keeps_text(target));
}

bool loses(const std::string& source_type, const std::string& target_type) {
  if (source_type == target_type) {
    return false;
  }
  const TypeName source = parse(source_type);
  const TypeName target = parse(target_type);
  const bool longer_address = source.base == "macaddr" && target.base == "macaddr8";
  return longer_address || loses_number(source, target) || loses_time(source, target) ||
         loses_text(source, target);
}

bool is_wider(const TypeName& source, const TypeName& target) {
  if (integer_rank(source) > 0 && integer_rank(target) > 0) {
    return integer_rank(target) > integer_rank(source);
  }
  const bool varying = source.base == "character varying";
  if (varying && target.base == "text") {
    return true;
  }
  if (source.base != target.base) {
    return false;
  }
  return (varying || source.base == "numeric") &&
         (target.modifiers.empty() ||
          (varying && target.modifier(0, kNoLimit) >= source.modifier(0, kNoLimit)));
}

}  // namespace

TypeFit fit_of(const TypeShape& source, const TypeShape& target) {
  if (loss_of(source, target)) {
    return TypeFit::lossy;
  }
  if (source.name == target.name) {
    return TypeFit::same;
  }
  return is_wider(parse(source.name), parse(target.name)) ? TypeFit::wider : TypeFit::different;
}

std::string recast(const std::string& column, const std::string& from, const std::string& to) {
  const std::string with = "timestamp with time zone";
  const std::string without = "timestamp without time zone";
  const std::string have = parse(from).base;
  const std::string want = parse(to).base;
  if ((have == with && want == without) || (have == without && want == with)) {
    return column + " at time zone 'UTC'";
  }
  return column + "::" + to;
}

std::optional<TypeLoss> loss_of(const TypeShape& source, const TypeShape& target) {
  if (loses(source.name, target.name)) {
    return TypeLoss{source.name, target.name};
  }
  for (const TypePart& part : source.parts) {
    for (const TypePart& other : target.parts) {
      if (part.path == other.path && loses(part.type, other.type)) {
        return TypeLoss{part.type, other.type};
      }
    }
  }
  return std::nullopt;
}

}  // namespace repld
