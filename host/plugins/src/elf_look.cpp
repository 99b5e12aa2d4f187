// Finds the descriptor's symbol in the dynamic symbol table (System V ABI, chapters 4 and 5) and
// the place of its bytes in the file. Every offset read from the file is checked against its
// length.
#include "plugins/elf_look.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

namespace vouch::plugins {
namespace {

constexpr unsigned char kOwnClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOwnOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
#if defined(__x86_64__)
constexpr std::uint16_t kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kOwnMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t kOwnMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr std::uint16_t kOwnMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr std::uint16_t kOwnMachine = EM_S390;
#else
constexpr std::uint16_t kOwnMachine = EM_NONE;  // not compared: dlopen will tell
#endif

/// No table of a real library is larger; a damaged count must not make us read for minutes.
constexpr std::uint64_t kLargestTable = std::uint64_t{256} << 20U;

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), error_(errno) {
    struct stat info {};
    if (descriptor_ < 0) return;
    error_ = ::fstat(descriptor_, &info) == 0 ? 0 : errno;
    regular_ = S_ISREG(info.st_mode);
    size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] bool regular() const { return regular_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  [[nodiscard]] bool read(std::uint64_t offset, void* into, std::uint64_t bytes) const {
    if (offset > size_ || bytes > size_ - offset) return false;
    const ssize_t got = ::pread(descriptor_, into, bytes, static_cast<off_t>(offset));
    return got >= 0 && static_cast<std::uint64_t>(got) == bytes;
  }

  template <typename T>
  [[nodiscard]] std::optional<std::vector<T>> table(std::uint64_t offset,
                                                    std::uint64_t count) const {
    if (count > kLargestTable / sizeof(T) || count * sizeof(T) > size_) return std::nullopt;
    std::vector<T> rows(count);
    if (!read(offset, rows.data(), count * sizeof(T))) return std::nullopt;
    return rows;
  }

 private:
  const int descriptor_;
  int error_;
  bool regular_ = false;
  std::uint64_t size_ = 0;
};

Status refused(std::string words) {
  return Status(StatusCode::failed_precondition, std::move(words));
}

Status damaged(const std::string& path) {
  return refused(path +
                 " is damaged: it refers to parts of itself that are not there; install the plugin "
                 "again");
}

Status check_header(const std::string& path, const ElfW(Ehdr) & header) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return refused(path +
                   " is not a shared library (it has no ELF header); put the plugin's .so file "
                   "there");
  }
  if (header.e_ident[EI_CLASS] != kOwnClass || header.e_ident[EI_DATA] != kOwnOrder ||
      (kOwnMachine != EM_NONE && header.e_machine != kOwnMachine)) {
    return refused(path +
                   " is a library for another kind of machine; install the plugin that is built "
                   "for this one");
  }
  if (header.e_type != ET_DYN) {
    return refused(path +
                   " is an ELF file but not a shared library; link it as one, with "
                   "vouch_add_plugin()");
  }
  return {};
}

/// The descriptor's symbol; nothing if the table can't be read; an undefined one if it is not
/// there.
std::optional<ElfW(Sym)> find_symbol(const File& file, const ElfW(Ehdr) & header) {
  if (header.e_shentsize != sizeof(ElfW(Shdr))) return std::nullopt;
  const auto sections = file.table<ElfW(Shdr)>(header.e_shoff, header.e_shnum);
  if (!sections) return std::nullopt;
  for (const ElfW(Shdr) & section : *sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= sections->size()) return std::nullopt;
    const ElfW(Shdr)& names_section = (*sections)[section.sh_link];
    const auto symbols =
        file.table<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)));
    auto names = file.table<char>(names_section.sh_offset, names_section.sh_size);
    if (!symbols || !names) return std::nullopt;
    names->push_back('\0');
    for (const ElfW(Sym) & symbol : *symbols) {
      if (symbol.st_name < names->size() && symbol.st_shndx != SHN_UNDEF &&
          std::strcmp(names->data() + symbol.st_name, kDescriptorSymbol) == 0) {
        return symbol;
      }
    }
  }
  return ElfW(Sym){};
}

std::optional<DescriptorHead> read_head(const File& file, const ElfW(Ehdr) & header,
                                        std::uint64_t address) {
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return std::nullopt;
  const auto segments = file.table<ElfW(Phdr)>(header.e_phoff, header.e_phnum);
  if (!segments) return std::nullopt;
  for (const ElfW(Phdr) & segment : *segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const std::uint64_t within = address - segment.p_vaddr;
    if (within > segment.p_filesz || segment.p_filesz - within < sizeof(DescriptorHead)) continue;
    DescriptorHead head;
    if (!file.read(segment.p_offset + within, &head, sizeof(head))) return std::nullopt;
    return head;
  }
  return DescriptorHead{};  // in no part of the file: all zero, without the magic number
}

}  // namespace

Result<DescriptorHead> look_into(const std::string& path) {
  const File file(path);
  if (file.error() != 0) {
    return refused(path + " can't be read: " + std::generic_category().message(file.error()) +
                   (file.error() == ENOENT || file.error() == ENOTDIR
                        ? "; put the plugin's .so file there"
                        : "; give the host's user the right to read it"));
  }
  if (!file.regular()) return refused(path + " is not a file; put the plugin's .so file there");
  if (file.size() == 0) {
    return refused(path +
                   " is empty: what should have written it did not finish; install the plugin "
                   "again");
  }
  ElfW(Ehdr) header{};
  const std::uint64_t header_bytes = std::min<std::uint64_t>(file.size(), sizeof(header));
  if (!file.read(0, &header, header_bytes)) return damaged(path);
  if (const Status status = check_header(path, header); !status.ok()) return status;

  const auto symbol = find_symbol(file, header);
  if (!symbol) return damaged(path);
  if (symbol->st_shndx == SHN_UNDEF) {
    return refused(path + " is a shared library but not a plugin: it has no symbol " +
                   kDescriptorSymbol +
                   "; if it should be one, use VOUCH_PLUGIN in one of its source files and link it "
                   "with vouch_add_plugin()");
  }
  const auto head = read_head(file, header, symbol->st_value);
  if (!head) return damaged(path);
  return *head;
}

}  // namespace vouch::plugins
