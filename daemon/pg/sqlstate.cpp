#include "pg/sqlstate.h"

namespace repld::pg {

ErrorKind kind_of_sqlstate(std::string_view sqlstate) {
  const std::string_view group = sqlstate.substr(0, 2);  // its class
  // 25006: a demoted node or a disk guard. 55006: the slot's last user is still leaving.
  if (group == "08" || group == "40" || group == "53" || group == "57" || group == "58" ||
      sqlstate == "25006" || sqlstate == "55P03" || sqlstate == "55006" || sqlstate == kNotOurs) {
    return ErrorKind::connect;
  }
  if (group == "23" || group == "22" || group == "54") {
    return ErrorKind::conflict;
  }
  if (group == "42" || group == "0A" || group == "3F" || group == "3D" || group == "2B") {
    return ErrorKind::schema;
  }
  return ErrorKind::internal;
}

}  // namespace repld::pg
