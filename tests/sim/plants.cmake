# Builds sim_tests once more for each bug in plants/: the patched file is linked before the libraries,
# so that it takes the place of theirs, or instead of one of the simulation. Not in the default
# build; script/sim-plants runs them.
#
# A patch changes one .cpp file. One that no longer applies fails the build.
file(GLOB plant_patches CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/plants/*.patch)
add_custom_target(sim_plants)
foreach(patch ${plant_patches})
  get_filename_component(plant ${patch} NAME_WE)
  file(STRINGS ${patch} target_line REGEX "^\\+\\+\\+ b/")
  string(REGEX REPLACE "^\\+\\+\\+ b/" "" patched ${target_line})
  set(planted ${CMAKE_CURRENT_BINARY_DIR}/plants/${plant}.cpp)
  add_custom_command(OUTPUT ${planted}
    COMMAND patch --silent --force --output=${planted} ${CMAKE_SOURCE_DIR}/${patched} ${patch}
    DEPENDS ${patch} ${CMAKE_SOURCE_DIR}/${patched} VERBATIM)
  get_filename_component(name ${patched} NAME)
  add_executable(sim_plant_${plant} EXCLUDE_FROM_ALL ${planted}
    $<FILTER:$<TARGET_OBJECTS:sim_objects>,EXCLUDE,/sim/${name}[.]o>)
  target_include_directories(sim_plant_${plant} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(sim_plant_${plant} PRIVATE repld_lib doctest::doctest repld_options)
  set_target_properties(sim_plant_${plant} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                        ${CMAKE_BINARY_DIR}/bin/sim_plants OUTPUT_NAME ${plant})
  add_dependencies(sim_plants sim_plant_${plant})
endforeach()
