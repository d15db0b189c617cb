# Compiles sql/ in: target repld_sql provides <embedded_sql.h>.
#
# sql/migrations/NNNN_name.sql become kMigrations, sql/queries/some_name.sql becomes kSomeName.
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/migrations/*.sql)
file(GLOB query_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/queries/*.sql)
set(embedded_sql ${CMAKE_BINARY_DIR}/generated/embedded_sql.h)
add_custom_command(
  OUTPUT ${embedded_sql}
  COMMAND ${CMAKE_COMMAND} "-DMIGRATIONS=${migration_files}" "-DQUERIES=${query_files}"
          -DOUTPUT=${embedded_sql} -P ${CMAKE_SOURCE_DIR}/cmake/write_embedded_sql.cmake
  DEPENDS ${migration_files} ${query_files} ${CMAKE_SOURCE_DIR}/cmake/write_embedded_sql.cmake
  VERBATIM)
add_custom_target(repld_sql_header DEPENDS ${embedded_sql})
add_library(repld_sql INTERFACE)
target_include_directories(repld_sql INTERFACE ${CMAKE_BINARY_DIR}/generated)
add_dependencies(repld_sql repld_sql_header)
