"""The endings of image files: one list for scans, dialogs and drops."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".webp", ".avif"}
    | {".bmp", ".dib", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
    | {".heic", ".heif", ".hif"}
)
"""Suffixes in lower case of the files that count as images."""

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
"""Those that the package pillow-heif reads."""

OTHER_PICTURE_SUFFIXES = frozenset(
    {".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".orf", ".rw2", ".raf"}
    | {".pef", ".dng", ".raw", ".rwl", ".3fr", ".iiq", ".x3f", ".kdc", ".dcr", ".mrw", ".erf"}
    | {".tga", ".psd", ".psb", ".xcf", ".kra", ".svg", ".svgz", ".eps", ".ai", ".pcx", ".sgi"}
    | {".jp2", ".j2k", ".jpf", ".jpx", ".jxl", ".jxr", ".wdp", ".hdr", ".exr", ".dds", ".ico"}
    | {".icns", ".cur", ".qoi", ".dcm", ".nii", ".fits", ".fit", ".insp", ".heics", ".avifs"}
    | {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".3gp", ".mts"}
)
"""Suffixes in lower case of pictures and films that are not read."""

COMPANION_SUFFIXES = frozenset(
    {".txt", ".md", ".rst", ".rtf", ".pdf", ".doc", ".docx", ".odt", ".html", ".htm", ".url"}
    | {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".toml", ".ini"}
    | {".xls", ".xlsx", ".ods", ".db", ".sqlite", ".parquet", ".arrow", ".npy", ".npz", ".mat"}
    | {".pkl", ".pickle", ".h5", ".hdf5", ".tfrecord", ".record", ".pth", ".pt", ".safetensors"}
    | {".py", ".ipynb", ".sh", ".bat", ".ps1", ".m", ".r", ".js", ".css", ".log", ".cfg", ".conf"}
    | {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".md5", ".sha1", ".sha256"}
    | {".xmp", ".thm", ".aae", ".pp3", ".dop", ".lrv", ".cos", ".lnk", ".bib"}
)
"""Suffixes in lower case of files that lie beside images: labels, descriptions, programs."""
