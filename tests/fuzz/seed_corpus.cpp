// Writes the seeds of tests/data/fuzz: one of each form that is allowed, and a few that are not.
//
//   seed_corpus tests/data/fuzz
#include <filesystem>
#include <fstream>
#include <iostream>

#include "fuzz/pgoutput_writer.h"
#include "unit/message_stream.h"
#include "unit/wire_bytes.h"

using namespace repld;
using namespace repld::testing;

namespace {

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void add(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path folder_;
};

// The packing that run_pgoutput takes apart.
std::string stream(uint8_t part_bytes_log2, uint8_t resume_after,
                   const std::vector<pgoutput::Message>& messages) {
  WireBytes out;
  out.int8(part_bytes_log2).int8(resume_after);
  for (const pgoutput::Message& message : messages) {
    const std::string bytes = fuzz::write_message(message, false);
    out.int16(static_cast<int16_t>(bytes.size())).raw(bytes);
  }
  return out.str();
}

void write_wal_frames(const Corpus& corpus) {
  corpus.add("data", WireBytes().tag('w').int64(16).int64(32).int64(-1).raw("payload").str());
  corpus.add("data_without_payload", WireBytes().tag('w').int64(16).int64(32).int64(0).str());
  corpus.add("keepalive", WireBytes().tag('k').int64(48).int64(888).int8(0).str());
  corpus.add("keepalive_that_asks", WireBytes().tag('k').int64(48).int64(888).int8(1).str());
  corpus.add("cut", WireBytes().tag('k').int64(48).int32(0).str());
  corpus.add("unknown", "x");
}

void write_pgoutput(const Corpus& corpus) {
  const pgoutput::Message row = insert({text("1"), kNull});
  corpus.add("insert", stream(15, 0, {begin(0x100), describe(), row, commit(0x100, 0x130)}));
  corpus.add("update",
             stream(15, 0,
                    {begin(0x100), describe(), update(OldKind::none, {}, {text("1"), kUnchanged}),
                     commit(0x100, 0x130)}));
  corpus.add("update_of_key",
             stream(15, 0,
                    {begin(0x100), describe(),
                     update(OldKind::key, {text("1"), kNull}, {text("2"), text("")}),
                     commit(0x100, 0x130)}));
  corpus.add("update_of_full",
             stream(15, 0,
                    {begin(0x100), describe(),
                     update(OldKind::full, {text("1"), kNull}, {text("1"), text("a")}),
                     commit(0x100, 0x130)}));
  corpus.add("delete", stream(15, 0,
                              {begin(0x100), describe(), remove(OldKind::key, {text("1"), kNull}),
                               remove(OldKind::full, {text("1"), kNull}), commit(0x100, 0x130)}));
  corpus.add("truncate", stream(15, 0,
                                {begin(0x100), describe(), describe(7),
                                 truncate({kOid, 7}, true, true), commit(0x100, 0x130)}));
  corpus.add(
      "messages",
      stream(15, 0,
             {logical(false, "other"), begin(0x100), pgoutput::Origin{Lsn{1}, "o"},
              pgoutput::Type{99, "public", "mood"}, logical(true, "repld"), commit(0x100, 0x130)}));
  corpus.add("parts", stream(0, 0, {begin(0x100), describe(), row, row, commit(0x100, 0x130)}));
  corpus.add("resumed", stream(15, 0x13,
                               {begin(0x100), describe(), row, commit(0x100, 0x130), begin(0x200),
                                row, commit(0x200, 0x230)}));
  corpus.add("row_outside", stream(15, 0, {describe(), row}));
  corpus.add("never_described", stream(15, 0, {begin(0x100), row}));
  corpus.add("across_resume", stream(15, 0x11, {begin(0x100), commit(0x100, 0x130)}));
}

void write_config(const Corpus& corpus) {
  const std::string servers =
      "[source]\ndsn = \"host=old\"\npassword_env = \"A\"\n[target]\ndsn = \"host=new\"\n";
  corpus.add("small.toml", servers);
  corpus.add("link.toml", servers +
                              "[link]\nname = \"salon\"\nconfirm_margin = \"2.5s\"\nguard = false\n"
                              "create_publication = true\npublications = []\n");
  corpus.add("groups.toml", servers +
                                "[tables]\ninclude = [\"public.*\", \"a.b?\"]\nexclude = []\n"
                                "[[groups]]\nname = \"g\"\ntables = [\"public.c*\"]\n"
                                "primary = \"target\"\n[[groups]]\nname = \"h\"\n");
  corpus.add("copy.toml", servers +
                              "[copy]\ninitial = false\nworkers = 8\nepoch = \"1m\"\n"
                              "on_nonempty = \"refuse\"\n[apply]\nbatch_rows = 1\n"
                              "memory_mb = 16\non_missing_partition = \"pause\"\n");
  corpus.add("surfaces.toml", servers +
                                  "[http]\nlisten = \"[::1]:0\"\n[control]\nsocket = \"/s\"\n"
                                  "[log]\nlevel = \"warn\"\nformat = \"json\"\n"
                                  "[verify]\nevery = \"0\"\n[cutover]\nmax_freeze = \"1s\"\n"
                                  "before_freeze = [\"a\"]\n");
  corpus.add("inline.toml",
             "source = {dsn = 'a'}\ntarget = {\"dsn\" = '''b''', password_file = "
             "\"\\u00e4\"}\ngroups = [{name = \"g\", tables = []}]\n");
  corpus.add("unknown_key.toml", servers + "[link]\ngaurd = true\n");
  corpus.add("wrong_types.toml", servers + "[copy]\nworkers = 0x10\nepoch = 1979-05-27\n");
  corpus.add("broken.toml", "[source\ndsn = \"secret\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: seed_corpus FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  write_wal_frames(Corpus(folder / "wal_frame"));
  write_pgoutput(Corpus(folder / "pgoutput"));
  write_config(Corpus(folder / "config"));
  return 0;
}
