/**
 * What one part of a message says, in the forms of chats and of responses. Of a file that is a text OpenAI gives a model what
 * stands there (https://platform.openai.com/docs/guides/file-inputs); whether it is one, its type says, or its name. Pure.
 */
import { dataUrl, textTypes } from '../reading/encoded-text.ts';
import { joined, textWithin } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const partsWithoutText: ReadonlySet<string> = new Set(['image_url', 'input_audio', 'image']);
const fileParts: ReadonlySet<string> = new Set(['file', 'input_file']);
/** Parts whose words are their `text` alone; those of another kind have words in a member of their own, whatever is beside. */
const partsOfText: ReadonlySet<string> = new Set(['', 'text', 'input_text', 'output_text']);

const otherNames = /\.(pdf|docx?|pptx?|xlsx?|odt|rtf|png|jpe?g|gif|webp|mp[34]|wav|zip)$/i;

/** What a text holds; '' for any other file. */
function decoded(data: string, name: string): string {
  const [start = '', type = ''] = dataUrl.exec(data) ?? [];
  const isText = type === '' ? name !== '' && !otherNames.test(name) : textTypes.test(type);
  return isText ? Buffer.from(data.slice(start.length), 'base64').toString('utf8') : '';
}

/** A file's name, where it is, and its words where it has them in it; a chat has it in a member of the part. */
function fileText(part: JsonRecord): string {
  const file = isRecord(part.file) ? part.file : part;
  const name = textOf(file.filename);
  const words = decoded(textOf(file.file_data), name);
  return [name, textOf(file.file_url), words, textOf(part.text)].reduce(joined);
}

/** The words of a part of a message. */
export function partText(part: JsonRecord): string {
  const type = textOf(part.type);
  if (fileParts.has(type)) return fileText(part);
  if (partsWithoutText.has(type)) return textOf(part.text);
  return typeof part.text === 'string' && partsOfText.has(type) ? part.text : textWithin(part);
}

/** What a tool gave back: a text, or a list of which files are read as a message's are. */
export function outputText(output: unknown): string {
  if (!Array.isArray(output)) return textWithin(output);
  return output
    .map((part: unknown) =>
      isRecord(part) && fileParts.has(textOf(part.type)) ? fileText(part) : textWithin(part),
    )
    .reduce<string>(joined, '');
}
