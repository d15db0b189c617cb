#include "core/direction.h"

#include <doctest/doctest.h>

namespace repld {

TEST_SUITE("direction") {
  TEST_CASE("the way back has names of its own, which lead back to the configuration's") {
    CHECK(reverse_name("app") == "app-back");
    CHECK(opposite_name("app") == "app-back");
    CHECK(opposite_name("app-back") == "app");
    CHECK(configured_name("app-back") == "app");
    CHECK(configured_name("app") == "app");
    CHECK_FALSE(is_reverse("app_back"));
    CHECK_FALSE(is_reverse("-back"));
    CHECK(source_side("app") == Side::source);
    CHECK(source_side("app-back") == Side::target);
    CHECK(slot_name("app") == "repld_app");
    // Not that of a link named back_app.
    CHECK(slot_name("app-back") == "repldback_app");
  }

  TEST_CASE("mirrored, a configuration swaps its servers and empties nothing") {
    Config config;
    config.source.dsn = "one";
    config.target.dsn = "other";
    config.copy.on_nonempty = OnNonempty::truncate;
    config.link.create_publication = false;
    config.link.publications = {"theirs"};
    config.groups = {{"home", {"public.h"}, Side::target}};
    const Config back = mirrored(config);
    CHECK(back.source.dsn == "other");
    CHECK(back.target.dsn == "one");
    CHECK(back.link.name == "repld-back");
    CHECK(back.link.create_publication);
    CHECK(back.link.publications.empty());
    CHECK(back.copy.on_nonempty == OnNonempty::refuse);
    CHECK_FALSE(replicates_table(back, "public", "h"));
    CHECK(replicates_table(back, "public", "t"));
  }

  TEST_CASE("an announcement names link, generation and group, which may hold anything") {
    const auto move = parse_announcement("app:12:a:b");
    REQUIRE(move);
    CHECK(move->link == "app");
    CHECK(move->generation == 12);
    CHECK(move->group == "a:b");
    for (const char* text : {"", "app", "app:12", "app:x:g", "app::g", "app:1x:g"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_announcement(text));
    }
  }
}

}  // namespace repld
