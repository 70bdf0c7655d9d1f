class SaveRestoreConnector:
    model_extracted_dir = None
