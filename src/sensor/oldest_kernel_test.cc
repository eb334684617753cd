// What the compiled programs ask of the kernel, beside the version that brought it: the sensor runs from Linux 5.8 on.
// A program may ask for more where the probe leaves it out on kernels that have less, or where it looks first whether
// the kernel has it. README.md says what is then lost.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <algorithm>
#include <compare>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redoubt_sensor.skel.h"

namespace redoubt::sensor {
namespace {

struct Version {
  int major;
  int minor;
  friend auto operator<=>(const Version&, const Version&) = default;
  friend void PrintTo(const Version& version, std::ostream* out) { *out << version.major << '.' << version.minor; }
};

constexpr Version kOldest{5, 8};
constexpr Version kTailCallsBesideFunctions{5, 10};  // before: a program that jumps calls no functions of its own
constexpr Version kFetchingAtomics{5, 12};           // operations that return what was there

// From the history of include/uapi/linux/bpf.h.
const std::map<uint32_t, Version> kHelpers = {
    {BPF_FUNC_map_lookup_elem, {3, 19}},
    {BPF_FUNC_map_update_elem, {3, 19}},
    {BPF_FUNC_map_delete_elem, {3, 19}},
    {BPF_FUNC_tail_call, {4, 2}},
    {BPF_FUNC_get_current_pid_tgid, {4, 2}},
    {BPF_FUNC_skb_load_bytes, {4, 5}},
    {BPF_FUNC_get_current_task, {4, 8}},
    {BPF_FUNC_get_socket_cookie, {4, 12}},
    {BPF_FUNC_sk_fullsock, {5, 1}},
    {BPF_FUNC_probe_read_user, {5, 5}},
    {BPF_FUNC_probe_read_kernel, {5, 5}},
    {BPF_FUNC_probe_read_user_str, {5, 5}},
    {BPF_FUNC_probe_read_kernel_str, {5, 5}},
    {BPF_FUNC_ktime_get_boot_ns, {5, 8}},
    {BPF_FUNC_seq_write, {5, 8}},
    {BPF_FUNC_ringbuf_output, {5, 8}},
    {BPF_FUNC_ringbuf_query, {5, 8}},
    {BPF_FUNC_get_current_task_btf, {5, 11}},
    {BPF_FUNC_task_pt_regs, {5, 15}},
    {BPF_FUNC_loop, {5, 17}},
    {BPF_FUNC_get_func_ret, {5, 17}},
};

const std::map<bpf_map_type, Version> kMaps = {
    {BPF_MAP_TYPE_HASH, {3, 19}},
    {BPF_MAP_TYPE_ARRAY, {3, 19}},
    {BPF_MAP_TYPE_PROG_ARRAY, {4, 2}},
    {BPF_MAP_TYPE_PERCPU_ARRAY, {4, 6}},
    {BPF_MAP_TYPE_LRU_HASH, {4, 10}},
    {BPF_MAP_TYPE_LPM_TRIE, {4, 11}},
    {BPF_MAP_TYPE_LRU_PERCPU_HASH, {4, 10}},
    {BPF_MAP_TYPE_PERCPU_HASH, {4, 6}},
    {BPF_MAP_TYPE_RINGBUF, {5, 8}},
};

// The kernels on which the programs of a section are loaded, by what probe.cc asks for.
Version loaded_from(std::string_view section) {
  if (section.starts_with("fentry/") || section.starts_with("fexit/")) return {5, 17};
  if (section.starts_with("cgroup_skb/") || section == "iter/bpf_map_elem") return {5, 9};
  return kOldest;
}

struct Function {
  std::string name;
  size_t section;
  size_t begin;  // both in bytes of the section
  size_t end;
  std::set<uint32_t> helpers;
  std::set<uint32_t> asked_for;  // helpers of which it looks whether the kernel has them
  std::set<size_t> calls;
  bool fetches = false;  // by atomic operations
};

// Head of .BTF.ext (Documentation/bpf/btf.rst).
struct ExtensionHead {
  uint16_t magic;
  uint8_t version;
  uint8_t flags;
  uint32_t head_bytes;
  uint32_t functions_offset, functions_bytes;
  uint32_t lines_offset, lines_bytes;
  uint32_t relocations_offset, relocations_bytes;
};

// The functions of the object that the skeleton carries.
class Object {
 public:
  explicit Object(const btf* types) : types_(types) {
    size_t size = 0;
    const void* bytes = redoubt_sensor__elf_bytes(&size);
    bytes_ = {static_cast<const char*>(bytes), size};
    const auto head = at<Elf64_Ehdr>(0);
    for (size_t i = 0; i < head.e_shnum; ++i) sections_.push_back(at<Elf64_Shdr>(head.e_shoff + i * head.e_shentsize));
    names_ = sections_.at(head.e_shstrndx);
    const auto table = std::find_if(sections_.begin(), sections_.end(),
                                    [](const Elf64_Shdr& section) { return section.sh_type == SHT_SYMTAB; });
    symbols_ = *table;
    read_functions();
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_REL) read_references(section);
      if (name_of(section) == ".BTF.ext") read_questions(section.sh_offset);
    }
    for (Function& function : functions_) read_instructions(function);
  }

  const std::vector<Function>& functions() const { return functions_; }
  std::string section_of(const Function& function) const { return name_of(sections_[function.section]); }
  // Functions of the kernel that are called by name, and are not weak: without them nothing loads.
  const std::set<std::string>& needed_functions() const { return needed_functions_; }
  // The function itself and all that it leads to.
  std::set<size_t> reached_from(size_t first) const {
    std::set<size_t> reached{first};
    for (std::vector<size_t> left{first}; !left.empty();) {
      const size_t each = left.back();
      left.pop_back();
      for (const size_t called : functions_[each].calls) {
        if (reached.insert(called).second) left.push_back(called);
      }
    }
    return reached;
  }

 private:
  template <typename T>
  T at(size_t offset) const {
    T value{};
    if (offset + sizeof value <= bytes_.size()) memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(const Elf64_Shdr& strings, size_t offset) const {
    return bytes_.data() + strings.sh_offset + offset;
  }
  std::string name_of(const Elf64_Shdr& section) const { return text(names_, section.sh_name); }
  Elf64_Sym symbol(size_t number) const { return at<Elf64_Sym>(symbols_.sh_offset + number * sizeof(Elf64_Sym)); }
  std::string name_of(const Elf64_Sym& symbol) const { return text(sections_[symbols_.sh_link], symbol.st_name); }
  bool is_code(size_t section) const {
    return section < sections_.size() && (sections_[section].sh_flags & SHF_EXECINSTR) != 0;
  }

  void read_functions() {
    for (size_t i = 0; i < symbols_.sh_size / sizeof(Elf64_Sym); ++i) {
      const Elf64_Sym each = symbol(i);
      if (ELF64_ST_TYPE(each.st_info) != STT_FUNC || !is_code(each.st_shndx)) continue;
      functions_.push_back({.name = name_of(each),
                            .section = each.st_shndx,
                            .begin = each.st_value,
                            .end = each.st_value + each.st_size});
    }
  }

  Function* function_at(size_t section, size_t offset) {
    const auto found = std::find_if(functions_.begin(), functions_.end(), [&](const Function& function) {
      return function.section == section && function.begin <= offset && offset < function.end;
    });
    return found == functions_.end() ? nullptr : &*found;
  }
  void add_call(Function& from, size_t section, size_t offset) {
    const Function* called = function_at(section, offset);
    ASSERT_NE(called, nullptr) << from.name << " calls what is no function";
    from.calls.insert(static_cast<size_t>(called - functions_.data()));
  }

  void read_instructions(Function& function) {
    const size_t code = sections_[function.section].sh_offset;
    for (size_t offset = function.begin; offset < function.end; offset += sizeof(bpf_insn)) {
      const auto instruction = at<bpf_insn>(code + offset);
      const bool is_call = instruction.code == (BPF_JMP | BPF_CALL);
      if (is_call && instruction.src_reg == 0) function.helpers.insert(static_cast<uint32_t>(instruction.imm));
      const bool is_settled = !relocated_.contains({function.section, offset});
      if (is_call && instruction.src_reg == BPF_PSEUDO_CALL && is_settled) {
        add_call(function, function.section, offset + sizeof(bpf_insn) * static_cast<size_t>(1 + instruction.imm));
      }
      const int operation = instruction.code & (BPF_MODE(0xff) | BPF_CLASS(0xff));
      if (operation == (BPF_STX | BPF_ATOMIC) && instruction.imm != BPF_ADD) function.fetches = true;
      if (instruction.code == (BPF_LD | BPF_IMM | BPF_DW)) offset += sizeof(bpf_insn);
    }
  }

  // Calls of functions and mentions of them that the linker has not settled.
  void read_references(const Elf64_Shdr& relocations) {
    if (!is_code(relocations.sh_info)) return;
    for (size_t i = 0; i < relocations.sh_size / sizeof(Elf64_Rel); ++i) {
      const auto each = at<Elf64_Rel>(relocations.sh_offset + i * sizeof(Elf64_Rel));
      relocated_.insert({relocations.sh_info, each.r_offset});
      const Elf64_Sym target = symbol(ELF64_R_SYM(each.r_info));
      const auto instruction = at<bpf_insn>(sections_[relocations.sh_info].sh_offset + each.r_offset);
      const bool is_call = instruction.code == (BPF_JMP | BPF_CALL);
      if (is_call && target.st_shndx == SHN_UNDEF && ELF64_ST_BIND(target.st_info) != STB_WEAK) {
        needed_functions_.insert(name_of(target));
      }
      // The linker keeps the code of functions that it has taken from another file, without their names.
      Function* const function = function_at(relocations.sh_info, each.r_offset);
      if (function == nullptr || !is_code(target.st_shndx)) continue;
      const auto inside = static_cast<size_t>(is_call ? static_cast<int64_t>(sizeof instruction) * (instruction.imm + 1)
                                                      : instruction.imm);
      add_call(*function, target.st_shndx, target.st_value + inside);
    }
  }

  // CO-RE relocations by which a function learns whether the kernel has a helper.
  void read_questions(size_t extension) {
    const auto head = at<ExtensionHead>(extension);
    size_t offset = extension + head.head_bytes + head.relocations_offset;
    const size_t end = offset + head.relocations_bytes;
    const auto row_bytes = at<uint32_t>(offset);
    for (offset += sizeof row_bytes; offset < end;) {
      const std::string_view name = btf__name_by_offset(types_, at<uint32_t>(offset));
      const auto count = at<uint32_t>(offset + sizeof(uint32_t));
      offset += 2 * sizeof(uint32_t);
      for (uint32_t row = 0; row < count; ++row, offset += row_bytes) read_question(name, at<bpf_core_relo>(offset));
    }
  }
  void read_question(std::string_view section_name, const bpf_core_relo& asked) {
    const btf_type* type = btf__type_by_id(types_, asked.type_id);
    if (asked.kind != BPF_CORE_ENUMVAL_EXISTS || !btf_is_enum(type)) return;
    if (std::string_view(btf__name_by_offset(types_, type->name_off)) != "bpf_func_id") return;
    const auto section = std::find_if(sections_.begin(), sections_.end(),
                                      [&](const Elf64_Shdr& each) { return name_of(each) == section_name; });
    Function* function = function_at(static_cast<size_t>(section - sections_.begin()), asked.insn_off);
    if (function == nullptr) return;
    const size_t value = std::stoul(btf__name_by_offset(types_, asked.access_str_off));
    function->asked_for.insert(static_cast<uint32_t>(btf_enum(type)[value].val));
  }

  const btf* types_;
  std::string_view bytes_;
  std::vector<Elf64_Shdr> sections_;
  Elf64_Shdr names_{};
  Elf64_Shdr symbols_{};
  std::vector<Function> functions_;
  std::set<std::pair<size_t, size_t>> relocated_;  // section and byte of the instructions that the linker left open
  std::set<std::string> needed_functions_;
};

class OldestKernel : public testing::Test {
 protected:
  struct Program {
    std::string name;
    std::string section;
    Version from;
    std::set<size_t> reached;
  };
  OldestKernel()
      : skeleton_(redoubt_sensor__open(), redoubt_sensor__destroy), object_(bpf_object__btf(skeleton_->obj)) {
    for (size_t i = 0; i < object_.functions().size(); ++i) {
      const Function& function = object_.functions()[i];
      const std::string section = object_.section_of(function);
      if (section == ".text") continue;
      programs_.push_back({function.name, section, loaded_from(section), object_.reached_from(i)});
    }
  }
  const Function& function(size_t number) const { return object_.functions()[number]; }

  std::unique_ptr<redoubt_sensor, decltype(&redoubt_sensor__destroy)> skeleton_;
  Object object_;
  std::vector<Program> programs_;
};

TEST_F(OldestKernel, is_asked_about_every_program) {
  size_t count = 0;
  bpf_program* each = nullptr;
  bpf_object__for_each_program(each, skeleton_->obj)++ count;
  EXPECT_EQ(programs_.size(), count);
}

TEST_F(OldestKernel, has_every_helper_that_is_not_asked_for_first) {
  for (const Program& program : programs_) {
    for (const size_t number : program.reached) {
      for (const uint32_t helper : function(number).helpers) {
        const auto row = kHelpers.find(helper);
        ASSERT_NE(row, kHelpers.end()) << "the table lacks helper " << helper << " of " << program.name;
        if (function(number).asked_for.contains(helper)) continue;
        EXPECT_LE(row->second, program.from)
            << "helper " << helper << " in " << function(number).name << ", of " << program.name;
      }
    }
  }
}

// Others had them later, or never.
TEST_F(OldestKernel, lets_programs_at_sockets_alone_ask_about_packets) {
  for (const Program& program : programs_) {
    if (program.section.starts_with("cgroup_skb/")) continue;
    for (const size_t number : program.reached) {
      for (const uint32_t helper : {BPF_FUNC_skb_load_bytes, BPF_FUNC_get_socket_cookie, BPF_FUNC_sk_fullsock}) {
        EXPECT_FALSE(function(number).helpers.contains(helper)) << "helper " << helper << " in " << program.name;
      }
    }
  }
}

TEST_F(OldestKernel, needs_no_function_of_the_kernel) { EXPECT_THAT(object_.needed_functions(), testing::IsEmpty()); }

TEST_F(OldestKernel, has_every_type_of_map) {
  bpf_map* each = nullptr;
  bpf_object__for_each_map(each, skeleton_->obj) {
    const auto row = kMaps.find(bpf_map__type(each));
    ASSERT_NE(row, kMaps.end()) << "the table lacks the type of " << bpf_map__name(each);
    EXPECT_LE(row->second, kOldest) << bpf_map__name(each);
  }
}

TEST_F(OldestKernel, has_every_instruction) {
  for (const Program& program : programs_) {
    if (program.from >= kFetchingAtomics) continue;
    for (const size_t number : program.reached) EXPECT_FALSE(function(number).fetches) << program.name;
  }
}

TEST_F(OldestKernel, lets_a_program_jump_that_calls_no_function) {
  for (const Program& program : programs_) {
    if (program.from >= kTailCallsBesideFunctions || program.reached.size() == 1) continue;
    for (const size_t number : program.reached) {
      EXPECT_FALSE(function(number).helpers.contains(BPF_FUNC_tail_call)) << program.name;
    }
  }
}

}  // namespace
}  // namespace redoubt::sensor
